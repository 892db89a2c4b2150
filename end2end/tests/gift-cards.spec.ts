// An admin issues a gift card; a shopper pays a part with it, and looks up what is left, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { SHOPS, addOne, arriveAt, awake, beginCheckout, button, field, fillAddress, main, operate, payByCard, visit } from '../helpers';

const test = base.extend(ownMarket);
const CODE = 'Discount code or gift card';

test('a gift card pays first, a card the rest, and the balance is shown', async ({ market, page, visitor }) => {
  const admin = await visitor();
  await operate(market, admin);
  await visit(admin, '/admin/gift-cards');
  await field(admin, 'Amount').fill('100');
  await button(admin, 'Issue a gift card').click();
  await expect(field(admin, 'Amount')).toHaveValue('100');
  await awake(admin);
  await field(admin, 'Reason').fill('A late parcel');
  await button(admin, 'Issue a gift card').click();
  const code = (await admin.locator('#issued-code').textContent()) ?? '';
  expect(admin.url()).not.toContain(code);
  const name = `Gift card ···· ${code.slice(-4)}`;
  await expect(main(admin).locator('tbody tr').first()).toContainText(name);
  await admin.reload();
  await expect(main(admin).locator('tbody tr').first()).toContainText('Active');
  await expect(main(admin)).not.toContainText(code);

  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await field(page, CODE).fill('AAAA-AAAA-AAAA-AAAA');
  await button(page, 'Apply').click();
  await expect(main(page).getByRole('alert')).toContainText('This gift card code isn’t valid.');
  expect(page.url()).not.toContain('AAAA');
  await awake(page);
  await field(page, CODE).fill(code);
  await field(page, CODE).press('Enter');
  await expect(main(page).locator('dl.sums').last()).toContainText(`${name}−₹100.00To pay`);
  await expect(main(page).getByLabel('Cash on delivery')).toHaveCount(0);
  // What has been entered stays.
  await expect(field(page, 'Full name')).not.toHaveValue('');
  await awake(page);
  await payByCard(page, 'approve');
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(`${name} ₹100.00`);

  await visit(page, '/gift-card');
  await field(page, 'Gift card code').fill(code.toLowerCase());
  await button(page, 'Show balance').click();
  await expect(main(page)).toContainText(`Left on gift card ···· ${code.slice(-4)}`);
  await expect(main(page).locator('.price.big')).toHaveText('₹0.00');
  expect(page.url()).not.toContain(code);
});
