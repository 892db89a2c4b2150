// A seller offers delivery slots; a shopper chooses one and both see it, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, awake, beginCheckout, button, field, fillAddress, main, payInCash, shopName, signIn, visit } from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[1];

test('a slot is offered, chosen, full for others, and on the seller’s list', async ({ page, visitor, hydrated, problems }) => {
  problems.allow(/422 .*checkout\/(update|pay)/);
  const seller = await visitor();
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/shipping?slot=new`);
  await arriveAt(seller, 'Add slot');
  await field(seller, 'From').fill('18:00');
  await field(seller, 'Until').fill('17:00');
  await field(seller, 'Orders per slot').fill('1');
  await field(seller, 'Extra charge (INR)').fill('30');
  await button(seller, 'Save').click();
  await expect(field(seller, 'Until')).toHaveAttribute('aria-invalid', 'true');
  await expect(field(seller, 'Orders per slot')).toHaveValue('1');
  await awake(seller);
  await field(seller, 'Until').fill('20:00');
  await button(seller, 'Save').click();
  await arriveAt(seller, 'Shipping');
  await expect(main(seller).getByRole('table', { name: 'Delivery slots' })).toContainText('18:00–20:00');
  await main(seller).getByRole('link', { name: 'Everywhere else' }).first().click();
  await expect(field(seller, 'Zone name')).toHaveValue('Everywhere else');
  await awake(seller);
  await seller.locator('[name="slot.offered"]').check();
  await seller.locator('[name="slot.rates"]').fill('29');
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Saved');

  const shop = await shopName(page, SHOP);
  const times = (of = page) => main(of).getByLabel(`Delivery time from ${shop}`, { exact: true });
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await main(page).getByLabel(/^Scheduled delivery/).check();
  await payInCash(page);
  await expect(main(page).getByRole('alert')).toContainText('Choose a delivery time.');
  await expect(times()).toHaveAttribute('aria-invalid', 'true');
  await awake(page);
  // In a week, so that it doesn’t close meanwhile.
  const slot = (await times().locator('option').nth(7).getAttribute('value')) ?? '';
  expect(slot).toMatch(/T18:00\/20:00$/);
  await times().selectOption(slot);
  if (!hydrated) await button(page, 'Update').first().click();
  await expect(main(page).getByRole('complementary')).toContainText('₹59.00');

  // For somebody else, it is full.
  const other = await visitor();
  await addOne(other, SHOP, 1);
  await beginCheckout(other);
  const theirs = times(other).locator(`option[value="${slot}"]`);
  await expect(theirs).toHaveText(/^\w{3},\s.*,\s18:00–20:00 \(full\)$/);
  await expect(theirs).toBeDisabled();
  // Whoever had the page open before is told, and keeps what they typed.
  await fillAddress(other);
  // In one step, because the page may show the slots anew as soon as the address is stored.
  await times(other).evaluate((select: HTMLSelectElement, slot) => {
    select.querySelector(`[value="${slot}"]`)?.removeAttribute('disabled');
    select.value = slot;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }, slot);
  if (!hydrated) {
    await main(other).getByLabel(/^Scheduled delivery/).check();
    await payInCash(other);
    await expect(main(other).getByRole('alert')).toContainText('Choose a delivery time.');
  } else {
    await expect(main(other).getByRole('alert')).toContainText('This time is no longer available.');
  }
  await expect(field(other, 'Street address')).toHaveValue('12 Lake Road');

  await awake(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(/Delivery on (Mon|Tue|Wed|Thu|Fri|Sat|Sun),.*18:00–20:00/);
  await visit(seller, `/seller/${SHOP}/shipping`);
  await expect(main(seller)).toContainText('1 of 1 booked');
  await main(seller).getByRole('link', { name: /18:00–20:00$/ }).last().click();
  await arriveAt(seller, 'Orders');
  await expect(main(seller).getByRole('row')).toHaveCount(2);
  await expect(main(seller).getByRole('link', { name: /^Delivery: .*18:00–20:00/ })).toBeVisible();
});
