// A customer returns what was bought, and the shop refunds a part of an order, with and without JavaScript: amounts agree on both pages
// and in the balance.
import { type Page, expect, runsScripts, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  payByCard,
  refused,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';

const SHOP = SHOPS[0];
const order = (number: string) => `/seller/${SHOP}/orders/${number}`;

/** Buys one item from the shop by card, and has it delivered; returns the purchase's page, the order and the title. */
async function deliver(page: Page, seller: Page): Promise<{ path: string; number: string; product: string }> {
  const name = await shopName(page, SHOP);
  const product = await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payByCard(page, 'approve');
  const number = (await thanks(page, [name])).orders[0]!.number;
  const { pathname, search } = new URL(page.url());
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, order(number));
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await field(seller, 'Carrier').fill('Blue Dart');
  await field(seller, 'Tracking number').fill('BD-77');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await awake(seller);
  await button(seller, 'Mark as delivered').click();
  await expect(main(seller)).toContainText('Order marked as delivered.');
  return { path: pathname + search, number, product };
}

/** The first amount in a text, in paise. */
const rupees = (text: string): number => {
  const amount = /₹([\d,]+\.\d\d)/.exec(text)?.[1] ?? '';
  return Number(amount.replace(/[,.]/g, ''));
};

/** The amount beside a label of the refund's summary. */
async function effect(page: Page, label: string): Promise<number> {
  const row = main(page).locator('.refund-effects > div').filter({ hasText: label }).first();
  return rupees(await row.locator('dd').innerText());
}

/** What the shop has earned with an order, by its statement. */
async function owed(page: Page, number: string): Promise<number> {
  const csv = await (await page.request.get(new URL(`/seller/${SHOP}/balance.csv`, page.url()).href)).text();
  const rows = csv.trim().split(/\r?\n/).map((row) => row.split(','));
  return rows.filter((row) => row[3] === number).reduce((sum, row) => sum + Math.round(Number(row[5]) * 100), 0);
}

test('a customer asks for a return, and the shop approves, receives and refunds it', async ({ page, visitor, market }) => {
  const seller = await visitor();
  const { path, number } = await deliver(page, seller);
  await visit(page, path);
  await main(page).locator('summary', { hasText: 'Return items or report a problem' }).click();
  await button(page, 'Send request').click();
  await refused(field(page, 'Reason'));
  await awake(page);
  await field(page, 'Reason').selectOption({ label: 'Damaged or doesn’t work' });
  await field(page, 'Details').fill('It has a crack');
  await button(page, 'Send request').click();
  await expect(main(page)).toContainText('Request sent.');
  await expect(main(page)).toContainText('Return requested');
  await expect(main(page)).toContainText('It has a crack');

  await visit(seller, `/seller/${SHOP}`);
  await main(seller).getByRole('link', { name: /return requests? to answer/ }).click();
  await arriveAt(seller, 'Orders');
  await main(seller).getByRole('link', { name: number, exact: true }).click();
  await arriveAt(seller, `Order ${number}`);
  const before = await owed(seller, number);
  await visit(seller, order(number));
  const [amount, earnings] = [await effect(seller, 'Refund total'), await effect(seller, 'Change in shop’s earnings')];
  expect(amount).toBeGreaterThan(earnings);
  await field(seller, 'Where to send the items').fill('');
  await button(seller, 'Approve return').click();
  await refused(field(seller, 'Where to send the items'));
  await awake(seller);
  await field(seller, 'Where to send the items').fill('Meena Crafts, Kiln Lane 4, Jaipur');
  await button(seller, 'Approve return').click();
  await expect(main(seller)).toContainText('Return approved.');
  await awake(seller);

  await visit(page, path);
  await expect(main(page)).toContainText('Meena Crafts, Kiln Lane 4, Jaipur');
  await expect(button(page, 'Withdraw request')).toBeVisible();

  await field(seller, 'Restock items').check();
  await button(seller, /^Mark as received and refund ₹/).click();
  await expect(main(seller)).toContainText('Refund issued.');
  const refunded = main(seller).locator('.return .note').filter({ hasText: /refunded$/ });
  expect(rupees(await refunded.innerText())).toBe(amount);
  expect(before - (await owed(seller, number))).toBe(earnings);
  await visit(page, path);
  const news = main(page).locator('.return p').filter({ hasText: 'You’ve been refunded' });
  expect(rupees(await news.innerText())).toBe(amount);
  await market.run('ledger', 'verify');
});

test('a shop refunds a part of an order, and sees before what it costs', async ({ page, visitor, market }) => {
  const seller = await visitor();
  const { path, number } = await deliver(page, seller);
  const before = await owed(seller, number);
  await visit(seller, order(number));
  await main(seller).locator('summary', { hasText: 'Refund items' }).click();
  await main(seller).getByLabel(/^Shipping \(/).check();
  await field(seller, 'Reason for refund').fill('It was late');
  if (!runsScripts(seller)) {
    // The first submission shows what is refunded.
    await button(seller, 'Review refund').click();
  }
  await expect(button(seller, /^Refund ₹/)).toBeVisible();
  const [amount, earnings] = [await effect(seller, 'Refund total'), await effect(seller, 'Change in shop’s earnings')];
  expect(amount).toBe(earnings);
  await expect(field(seller, 'Reason for refund')).toHaveValue('It was late');
  await button(seller, /^Refund ₹/).click();
  await expect(main(seller)).toContainText('Refund issued.');
  await expect(main(seller)).toContainText('It was late');
  expect(before - (await owed(seller, number))).toBe(earnings);
  await visit(page, path);
  await expect(main(page)).toContainText(/refund(ing|ed) ₹/);
  await market.run('ledger', 'verify');
});
