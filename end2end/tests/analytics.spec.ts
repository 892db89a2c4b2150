// How a shop and the market are doing: steps and amounts appear where they happen, with and without JavaScript.
import { type Page, expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  audit,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  operate,
  payInCash,
  refused,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';

// A period that can't be is answered with an error status.
test.beforeEach(({ problems }) => problems.allow(/Failed to load resource.*status of 422/));

const SHOP = SHOPS[0];
const ANALYTICS = `/seller/${SHOP}/analytics`;

/** The numbers of a part of the page by their rows: the digits of the first cell of each. */
async function numbers(page: Page, part: string): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const row of await main(page).locator(`section[aria-labelledby="${part}"] tbody tr`).all()) {
    const name = (await row.getByRole('rowheader').innerText()).trim();
    rows[name] = Number((await row.getByRole('cell').first().innerText()).replace(/\D/g, ''));
  }
  return rows;
}

test('a view, an order and its cancellation are seen by the shop and the market', async ({ page, visitor, market }) => {
  const [seller, admin] = [await visitor(), await visitor()];
  await signIn(seller, SELLERS[SHOP]);
  expect(await visit(seller, ANALYTICS)).toBe(200);
  await arriveAt(seller, 'Analytics');
  const [funnel, sales] = [await numbers(seller, 'funnel'), await numbers(seller, 'breakdown')];

  const name = await shopName(page, SHOP);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  const number = (await thanks(page, [name])).orders[0]!.number;

  // What was counted is added within seconds.
  await expect(async () => {
    await visit(seller, ANALYTICS);
    const now = await numbers(seller, 'funnel');
    expect(now['Product views']).toBeGreaterThan(funnel['Product views']!);
    for (const step of ['Added to basket', 'Taken to checkout', 'Ordered']) expect(now[step], step).toBe(funnel[step]! + 1);
  }).toPass();
  await audit(seller);
  const sold = await numbers(seller, 'breakdown');
  expect(sold['Gross sales']).toBeGreaterThan(sales['Gross sales']!);
  expect(sold['Cancelled']).toBe(sales['Cancelled']);
  await awake(seller);
  await main(seller).locator('section[aria-labelledby="breakdown"]').getByRole('link', { name: 'Gross sales' }).click();
  await arriveAt(seller, 'Orders');
  await main(seller).getByRole('link', { name: number, exact: true }).click();
  await arriveAt(seller, `Order ${number}`);
  await awake(seller);
  await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
  await field(seller, 'Reason').fill('Broken in the kiln');
  await button(seller, 'Cancel order').click();
  await expect(main(seller)).toContainText('This order was cancelled');

  expect(await visit(seller, `${ANALYTICS}?days=7`)).toBe(200);
  const cancelled = await numbers(seller, 'breakdown');
  expect(cancelled['Cancelled']).toBeGreaterThan(sold['Cancelled']!);
  const file = await seller.request.get(`${ANALYTICS}/days.csv?days=7`);
  const lines = (await file.text()).trim().split('\r\n');
  expect(lines).toHaveLength(8);
  expect(lines[0]).toContain('gross,discounts,shipping,taxes,cancelled,refunded,lost,net');
  expect((await seller.request.get(`${ANALYTICS}/products.csv`)).status()).toBe(200);

  // A period that can't be is said at its field, and the default one is shown.
  expect(await visit(seller, `${ANALYTICS}?from=2026-11-10&to=2026-11-01`)).toBe(422);
  await refused(field(seller, 'To'));
  await expect(field(seller, 'From')).toHaveValue('2026-11-10');
  expect(await numbers(seller, 'breakdown')).toHaveProperty('Net sales');

  await operate(market, admin);
  expect(await visit(admin, '/admin/analytics')).toBe(200);
  await arriveAt(admin, 'Analytics');
  expect((await numbers(admin, 'breakdown'))['Cancelled']).toBeGreaterThan(0);
  expect(await numbers(admin, 'shops')).toHaveProperty(name);
  await audit(admin);
});
