// A shop announces an event, a shopper buys at its price, and it is sold out and over, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, awake, beginCheckout, button, field, fillAddress, main, openProduct, payInCash, refused, signIn, visit } from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];
// Other files that this market serves look at the past prices of the first ones.
const AT = 2;
// An event ends within two years.
const ENDS = `${new Date().getFullYear() + 1}-12-01T10:00`;

test('an event is announced, sold out and ended', async ({ page, visitor, hydrated }) => {
  const seller = await visitor();
  const title = await openProduct(page, SHOP, AT);
  const price = main(page).locator('.product-price .price').first();
  const before = (await price.innerText()).trim();
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}`);
  await seller.getByRole('navigation').getByRole('link', { name: 'Events', exact: true }).first().click();
  await arriveAt(seller, 'Events');
  await expect(main(seller)).toContainText('No events yet');
  await field(seller, 'Ends').fill(ENDS);
  await button(seller, 'Create an event').click();
  await refused(field(seller, 'Title'));
  await expect(field(seller, 'Ends')).toHaveValue(ENDS);
  await awake(seller);
  await field(seller, 'Title').fill('Festival of clay');
  await field(seller, 'Description (optional)').fill('Two days only.');
  await button(seller, 'Create an event').click();
  await arriveAt(seller, 'Festival of clay');
  await expect(main(seller).getByRole('alert')).toContainText('Event created.');
  await field(seller, 'Product').selectOption({ label: title });
  await button(seller, 'Choose').click();
  await expect(field(seller, 'Percentage off (optional)')).toBeVisible();
  await awake(seller);
  await field(seller, 'Percentage off (optional)').fill('100');
  await field(seller, 'Units at this price (optional)').fill('1');
  await button(seller, 'Add to the event').click();
  await refused(field(seller, 'Percentage off (optional)'));
  await expect(field(seller, 'Units at this price (optional)')).toHaveValue('1');
  await awake(seller);
  await field(seller, 'Percentage off (optional)').fill('50');
  await button(seller, 'Add to the event').click();
  await expect(main(seller).getByRole('alert')).toContainText('Product added.');
  await expect(main(seller).locator('tbody tr')).toContainText('1 of 1');

  await visit(page, '/events');
  await main(page).getByRole('link', { name: 'Festival of clay' }).click();
  await arriveAt(page, 'Festival of clay');
  await expect(main(page)).toContainText('1 left at this price');
  const clock = main(page).getByRole('timer');
  await expect(clock).toContainText(hydrated ? /^Ends in [\d,]+ days \d\d:\d\d:\d\d$/ : /^Ends /);
  await main(page).getByRole('link', { name: title, exact: true }).click();
  await arriveAt(page, title);
  await expect(main(page).locator('.product-price s')).toContainText(before);
  await expect(main(page)).toContainText('1 left at this price');
  const reduced = (await price.innerText()).trim();
  expect(reduced).not.toBe(before);
  await addOne(page, SHOP, 1, AT);
  await beginCheckout(page);
  await expect(main(page).locator('.sums').last()).toContainText(`Subtotal${reduced}`);

  // It is held for them, so that nobody else is offered that price.
  const other = await visitor();
  await openProduct(other, SHOP, AT);
  await expect(main(other).locator('.product-price .price').first()).toHaveText(before);
  await visit(other, '/events');
  await main(other).getByRole('link', { name: 'Festival of clay' }).click();
  await expect(main(other)).toContainText('Sold out at this price');

  // It ends while they pay, and what they have seen counts.
  await visit(seller, `/seller/${SHOP}/events`);
  await main(seller).getByRole('link', { name: 'Festival of clay' }).click();
  await arriveAt(seller, 'Festival of clay');
  await button(seller, 'End now').click();
  await expect(main(seller).getByRole('alert')).toContainText('Event ended.');
  await fillAddress(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(reduced);
  await visit(other, '/events');
  await expect(main(other).getByRole('link', { name: 'Festival of clay' })).toHaveCount(0);
});
