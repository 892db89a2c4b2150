// An admin issues a gift card, or a shopper buys one for someone; it pays a part, and its balance is looked up, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { SHOPS, addOne, arriveAt, awake, beginCheckout, button, field, fillAddress, freshEmail, main, operate, payByCard, title, visit } from '../helpers';

const test = base.extend(ownMarket());
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

test('a gift card is bought for someone, emailed, and pays at the checkout', async ({ page, visitor }) => {
  const to = freshEmail();
  await visit(page, '/gift-card');
  await main(page).getByRole('link', { name: 'Buy a gift card' }).click();
  await arriveAt(page, 'Buy a gift card');
  await awake(page);
  await field(page, 'Another amount (optional)').fill('50');
  await field(page, 'Recipient’s name (optional)').fill('Ravi');
  await field(page, 'Recipient’s email (optional)').fill(to);
  await field(page, 'Your name (optional)').fill('Asha');
  await field(page, 'Message (optional)').fill('Happy birthday!');
  await button(page, 'Add to basket').click();
  await expect(field(page, 'Another amount (optional)')).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, 'Message (optional)')).toHaveValue('Happy birthday!');
  await awake(page);
  await field(page, 'Another amount (optional)').fill('250');
  await button(page, 'Add to basket').click();
  await arriveAt(page, 'Your basket');
  await expect(main(page)).toContainText('Gift card for Ravi');
  await beginCheckout(page);
  await expect(field(page, 'Full name')).toHaveCount(0);
  await expect(main(page).getByLabel('Cash on delivery')).toHaveCount(0);
  await awake(page);
  await field(page, 'Email').fill('asha@example.com');
  await payByCard(page, 'approve');
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText('Gift card for Ravi');
  await expect(main(page)).toContainText(/Sent \d/);
  // It was sent a moment ago.
  await awake(page);
  await main(page).getByRole('button', { name: /^Send again/ }).click();
  await expect(main(page).getByRole('alert')).toContainText('Wait a minute and try again.');

  const ravi = await visitor();
  const letter = ravi.getByRole('link').filter({ hasText: to });
  await expect.poll(async () => (await ravi.goto('/dev/mail'), letter.count())).toBe(1);
  await letter.click();
  await expect(title(ravi, 'Asha has sent you a gift card of ₹250.00')).toBeVisible();
  const mail = (await ravi.locator('pre').first().textContent()) ?? '';
  expect(mail).toContain('Happy birthday!');
  const code = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(mail)?.[0] ?? '';
  await addOne(ravi, SHOPS[0], 1);
  await beginCheckout(ravi);
  await fillAddress(ravi);
  await field(ravi, CODE).fill(code);
  await button(ravi, 'Apply').click();
  await expect(main(ravi).locator('dl.sums').last()).toContainText(`Gift card ···· ${code.slice(-4)}−₹`);
});
