// A shop's dashboard, with and without JavaScript: orders are processed, and errors are shown where they occurred.
import { randomBytes } from 'node:crypto';

import { type Page, expect, runsScripts, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  type ShopHandle,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  cartLink,
  field,
  fillAddress,
  freshEmail,
  main,
  operate,
  payByCard,
  payInCash,
  refused,
  setQuantity,
  shopName,
  signIn,
  signUp,
  thanks,
  title,
  visit,
} from '../helpers';

const SHOP = SHOPS[0];

/** Buys one item from the shop; returns the purchase's path and the order number. */
async function buy(page: Page, way: 'card' | 'cash'): Promise<{ path: string; order: string }> {
  const name = await shopName(page, SHOP);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  if (way === 'card') await payByCard(page, 'approve');
  else await payInCash(page);
  const bought = await thanks(page, [name]);
  return { path: new URL(page.url()).pathname + new URL(page.url()).search, order: bought.orders[0]!.number };
}

const dashboard = (shop: ShopHandle, part = '') => `/seller/${shop}${part}`;

async function openOrder(page: Page, number: string): Promise<void> {
  expect(await visit(page, dashboard(SHOP, `/orders?q=${number}`))).toBe(200);
  await main(page).getByRole('link', { name: number, exact: true }).click();
  await arriveAt(page, `Order ${number}`);
}

test('an order goes from placed to delivered, and the shopper sees each step', async ({ page, visitor }) => {
  const seller = await visitor();
  const { path, order } = await buy(page, 'cash');
  await signIn(seller, SELLERS[SHOP]);
  await openOrder(seller, order);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);

  await field(seller, 'Carrier').fill('Blue Dart');
  await field(seller, 'Tracking number').fill('BD-77');
  await field(seller, 'Tracking link (optional)').fill('http://track.example');
  await button(seller, 'Mark as shipped').click();
  await refused(field(seller, 'Tracking link (optional)'));
  await awake(seller);
  await expect(field(seller, 'Carrier')).toHaveValue('Blue Dart');
  await expect(field(seller, 'Tracking number')).toHaveValue('BD-77');
  await field(seller, 'Tracking link (optional)').fill('https://track.example/BD-77');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await awake(seller);

  await visit(page, path);
  await expect(main(page)).toContainText('Shipped with Blue Dart, tracking number BD-77');
  await expect(main(page).getByRole('link', { name: 'Track package' })).toHaveAttribute('href', 'https://track.example/BD-77');
  await button(seller, 'Mark as delivered').click();
  await expect(main(seller)).toContainText('The order has been delivered. There’s nothing more to do.');
  await expect(main(seller)).toContainText('Cash collected on delivery: ₹');
  await visit(page, path);
  await expect(main(page)).toContainText('Your order has been delivered.');
});

test('a part of an order is shipped, and everyone sees which order that is', async ({ page, visitor, market }) => {
  const [seller, operator] = [await visitor(), await visitor()];
  const name = await shopName(page, SHOP);
  const product = await addOne(page, SHOP, 1);
  await visit(page, '/cart');
  await setQuantity(page, product, '2');
  await expect(cartLink(page, 2)).toBeVisible();
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  const order = (await thanks(page, [name])).orders[0]!.number;
  const path = new URL(page.url()).pathname + new URL(page.url()).search;
  await signIn(seller, SELLERS[SHOP]);
  await openOrder(seller, order);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await visit(page, path);
  await expect(main(page)).toContainText(`${name} has confirmed this order, so it can’t be cancelled here any more.`);

  const part = main(seller).locator('details', { hasText: 'Ship part of the order' });
  await part.locator('summary').click();
  await part.getByLabel(`${product}`).first().fill('1');
  await part.getByLabel('Carrier').fill('Blue Dart');
  await part.getByLabel('Tracking number').fill('BD-1');
  await part.getByRole('button', { name: 'Ship part of the order' }).click();
  await expect(main(seller).locator('.order-head .state')).toHaveText('Partly shipped');
  await expect(main(seller).locator('.timeline .now')).toContainText('Partly shipped');
  await expect(main(seller).locator('.history')).toContainText('Part of the order shipped');
  await expect(main(seller)).toContainText('Part of this order has already shipped, so it can’t be cancelled.');
  await visit(page, path);
  await expect(main(page).locator('.timeline .now')).toContainText('Partly shipped');
  await expect(main(page)).toContainText('Part of this order has already been shipped, so it can’t be cancelled here any more.');
  await operate(market, operator);
  await visit(operator, `/admin/orders?q=${order}`);
  await expect(main(operator).locator('tbody tr').filter({ hasText: order }).locator('.state:visible')).toHaveText('Partly shipped');
});

test('a cancelled order returns stock and money', async ({ page, visitor, market }) => {
  const seller = await visitor();
  await signIn(seller, SELLERS[SHOP]);
  const { path, order } = await buy(page, 'card');
  await openOrder(seller, order);
  await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
  await button(seller, 'Cancel order').click();
  await refused(field(seller, 'Reason'));
  await awake(seller);
  await field(seller, 'Reason').fill('The glaze has cracked');
  await button(seller, 'Cancel order').click();
  await expect(main(seller)).toContainText('This order was cancelled, and the items are back in stock.');
  await expect(async () => {
    await visit(seller, dashboard(SHOP, `/orders/${order}`));
    await expect(main(seller)).toContainText(/refunded on/, { timeout: 100 });
  }).toPass();
  await visit(page, path);
  await expect(main(page)).toContainText('This order has been cancelled.');
  await visit(seller, dashboard(SHOP, '/balance'));
  const rows = main(seller).getByRole('row').filter({ hasText: order });
  await expect(rows).toHaveCount(4);
  const statement = await main(seller).getByRole('link', { name: 'Download statement' }).getAttribute('href');
  const lines = (await (await seller.request.get(statement!)).text()).split('\r\n').filter((line) => line.includes(order));
  expect(lines.map((line) => line.split(',')[2])).toEqual(['sale', 'commission', 'sale_reversed', 'commission_reversed']);
  await market.run('ledger', 'verify');
});

test('a shop is opened, and its settings are kept', async ({ page }) => {
  const handle = `shop-${randomBytes(4).toString('hex')}`;
  expect(await visit(page, '/seller')).toBe(401);
  await arriveAt(page, 'Sell on Haat');
  await expect(main(page).getByRole('link', { name: 'Create an account' })).toHaveAttribute('href', /^\/sign-up\?next=/);
  await signUp(page, freshEmail());
  await visit(page, '/seller');
  await main(page).getByRole('link', { name: 'Open a shop' }).click();
  await arriveAt(page, 'Open a shop');
  await field(page, 'Shop name').fill('Lake & Loom <b>');
  await field(page, 'Handle').fill('admin');
  await field(page, 'Description (optional)').fill('</textarea> Cloth & yarn');
  await field(page, 'Town or city').fill('Pune');
  await field(page, 'Shipping price (INR)').fill('49');
  await button(page, 'Open a shop').click();
  await refused(field(page, 'Handle'));
  await awake(page);
  await expect(field(page, 'Description (optional)')).toHaveValue('</textarea> Cloth & yarn');
  await field(page, 'Handle').fill(handle);
  await button(page, 'Open a shop').click();
  await arriveAt(page, 'Dashboard');
  expect(new URL(page.url()).pathname).toBe(`/seller/${handle}`);

  await visit(page, `/seller/${handle}/settings`);
  await field(page, 'Town or city').fill('Nashik');
  await field(page, 'Return window (days)').fill('many');
  await button(page, 'Save').click();
  await refused(field(page, 'Return window (days)'));
  await awake(page);
  await expect(field(page, 'Town or city')).toHaveValue('Nashik');
  await field(page, 'Return window (days)').fill('14');
  await button(page, 'Save').click();
  await expect(main(page).getByRole('alert').filter({ hasText: 'Saved' })).toBeVisible();
  await visit(page, `/shops/${handle}`);
  await expect(title(page, 'Lake & Loom <b>')).toBeVisible();
});

test('several products are archived and published at once', async ({ page }) => {
  await signIn(page, SELLERS[SHOPS[1]]);
  await visit(page, dashboard(SHOPS[1], '/products?sort=title'));
  const rows = main(page).locator('tbody tr');
  const names = [await rows.nth(0).getByRole('link').innerText(), await rows.nth(1).getByRole('link').innerText()];
  for (const [action, state] of [['Archive', 'Archived'], ['Publish', 'Published']] as const) {
    for (const name of names) await main(page).getByRole('checkbox', { name: `Select ${name}`, exact: true }).check();
    await button(page, action).click();
    await expect(main(page).getByRole('alert')).toBeVisible();
    await awake(page);
    expect(new URL(page.url()).searchParams.get('sort')).toBe('title');
    for (const name of names) await expect(rows.filter({ hasText: name })).toContainText(state);
  }
});

test('lists are sorted by their headings, filtered by chips, and counted', async ({ page, visitor }) => {
  await signIn(page, SELLERS[SHOPS[1]]);
  await visit(page, dashboard(SHOPS[1], '/products'));
  const heading = (name: string, at = page) => main(at).getByRole('columnheader', { name, exact: true });
  const chip = (name: string) => main(page).locator('.chip', { hasText: name });
  const stock = async () => (await main(page).locator('tbody td:nth-child(5)').allInnerTexts())
    .map((text) => Number(text.replace(/[^0-9]/g, '')));
  for (const [direction, sign] of [['ascending', 1], ['descending', -1]] as const) {
    await heading('Stock').getByRole('link').click();
    await expect(heading('Stock')).toHaveAttribute('aria-sort', direction);
    const shown = await stock();
    expect(shown).toEqual([...shown].sort((one, other) => sign * (one - other)));
  }
  const rows = main(page).locator('tbody tr');
  const published = Number((await chip('Published').locator('.chip-count').innerText()).replace(',', ''));
  await chip('Published').click();
  await expect(chip('Published')).toHaveAttribute('aria-current', 'true');
  expect(await rows.count()).toBe(Math.min(published, 50));
  await expect(main(page).locator('.list-foot')).toContainText(`${published} in total`);
  // The active filter is removed by the same chip; the sort order stays.
  await chip('Published').click();
  await expect(chip('Published')).not.toHaveAttribute('aria-current', 'true');
  await expect(heading('Stock')).toHaveAttribute('aria-sort', 'descending');
  expect(new URL(page.url()).searchParams.get('state') ?? '').toBe('');

  const { order } = await buy(await visitor(), 'cash');
  const other = await visitor();
  await signIn(other, SELLERS[SHOP]);
  await visit(other, dashboard(SHOP, '/orders?sort=total&rows=25'));
  await expect(heading('Total', other)).toHaveAttribute('aria-sort', 'ascending');
  const link = main(other).getByRole('link', { name: 'Export', exact: true });
  const answer = await other.request.get((await link.getAttribute('href')) ?? '');
  expect(answer.headers()['content-disposition']).toContain(`${SHOP}-orders.csv`);
  expect(await answer.text()).toMatch(new RegExp(`^${order},.*,placed,1,INR,`, 'm'));
});

test('a file of products is checked, and its valid products are imported', async ({ page }) => {
  const sku = `F-${randomBytes(4).toString('hex')}`;
  const rows = Array.from({ length: 120 }, (_, i) => `${sku}-${i},Folder ${sku} ${i},100,5,published`);
  const table = ['sku,title,price,stock,state', ...rows, `${sku}-bad,=1+1,100,5,published`].join('\n');
  await signIn(page, SELLERS[SHOP]);
  await visit(page, dashboard(SHOP, '/products'));
  await main(page).getByRole('link', { name: 'Import', exact: true }).click();
  await arriveAt(page, 'Import products');
  await field(page, 'File').setInputFiles({ name: 'folders.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  await button(page, 'Check file').click();
  await expect(main(page)).toContainText('120 products can be imported: 120 new');
  await awake(page);
  await expect(main(page).getByRole('row').filter({ hasText: '=1+1' })).toContainText('122');
  await button(page, 'Import 120 valid products').click();
  // The page updates itself if it can.
  await expect(async () => {
    if (!runsScripts(page)) await page.reload();
    await expect(main(page).getByRole('alert')).toContainText('Import complete: 120 added', { timeout: 1000 });
  }).toPass();
  await awake(page);
  await main(page).getByRole('link', { name: 'View products' }).click();
  await arriveAt(page, 'Products');
  await expect(main(page).locator('tbody')).toContainText(`Folder ${sku}`);
  const link = main(page).getByRole('link', { name: 'Export', exact: true });
  const answer = await page.request.get((await link.getAttribute('href')) ?? '');
  expect((await answer.text()).split(`,${sku}-`)).toHaveLength(121);
});

test('what belongs to others is reported as not found', async ({ page }) => {
  expect(await visit(page, dashboard(SHOP))).toBe(401);
  await signIn(page, SELLERS[SHOPS[1]]);
  for (const part of ['', '/orders', '/orders/H1-1', '/products', '/products/new', '/products/import', '/balance', '/settings']) {
    expect(await visit(page, dashboard(SHOP, part)), part).toBe(404);
  }
  expect(await visit(page, dashboard(SHOPS[1], '/orders/H1-1'))).toBe(404);
  expect(await visit(page, dashboard(SHOPS[1], '/products/not-an-id'))).toBe(404);
});

test('on phones, numbers and statuses of orders keep to one line', async ({ page, visitor }) => {
  const seller = await visitor();
  await buy(page, 'cash');
  await signIn(seller, SELLERS[SHOP]);
  await seller.setViewportSize({ width: 390, height: 844 });
  for (const language of ['en', 'hi']) {
    await seller.context().addCookies([{ name: 'haat_language', value: language, url: seller.url() }]);
    await visit(seller, dashboard(SHOP, '/orders'));
    await expect(seller.locator('html')).toHaveAttribute('lang', language);
    const found = await seller.locator('tbody tr').evaluateAll((rows) =>
      rows.map((row) => ['.row-link', '.cramped .state'].map((part) => row.querySelector(part)!.getClientRects().length)),
    );
    expect(found.length).toBeGreaterThan(0);
    for (const lines of found) expect(lines, language).toEqual([1, 1]);
    const wider = await seller.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wider, language).toBe(0);
  }
});
