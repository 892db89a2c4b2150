// Malicious text in every field of the seller dashboard and the admin area: it is rejected at its field and kept there, or shown
// as plain text wherever it appears. In a market of its own, so that no other test sees it.
import { randomBytes } from 'node:crypto';

import type { Locator } from '@playwright/test';

import { type Page, expect, ownMarket, runsScripts, test as base } from '../fixtures';
import {
  payButton,
  arriveAt,
  awake,
  cartLink,
  beginCheckout,
  button,
  choose,
  field,
  fillAddress,
  main,
  refused,
  signIn,
  signUp,
  thanks,
  visit,
  withoutBrowserChecks,
} from '../helpers';
import { TEXTS, harmless, watch } from '../hostile';
import { png } from '../pictures';

const test = base.extend(ownMarket());

test.use({ viewport: { width: 390, height: 844 } });
// Emails run no scripts, not even the browser's own.
test.beforeEach(({ problems }) => problems.allow(/Failed to load resource.*status of 4\d\d|Blocked script execution/));

/** Characters that override the text direction. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Whether a field with this maximum length accepts the text unchanged. */
const taken = (text: string, most: number): boolean => text.search(TURNS) < 0 && [...text].length <= most;

/** As much of the text as such a field accepts. */
const fitted = (text: string, most: number): string => [...text.replace(TURNS, '')].slice(0, most).join('').trim();

/** The form in which a line is stored: normalised, and without zero-width characters. */
const stored = (line: string): string => line.normalize('NFC').replaceAll('\u200b', '').trim();

/** The text fields by label, with their maximum lengths. */
const SHOP = { 'Shop name': 80, 'Description (optional)': 2000, 'Town or city': 80, 'Address (optional)': 500 };
/** The number and amount fields, with valid values; of a shop that is open, only the last. */
const RETURNS = { 'Return window (days)': '7' };
const TERMS = {
  'Shipping price (INR)': '49',
  'Free shipping over (INR)': '1,000',
  ...RETURNS,
};

/** The page is harmless, and nothing on it overrides the text direction. */
async function calm(page: Page): Promise<void> {
  await harmless(page);
  expect(await page.locator('body').innerText(), 'nothing turns the text around').not.toMatch(TURNS);
}

/** Each of the fields is rejected or accepted as expected, says so, and keeps its input. */
async function judged(at: (label: string) => Locator, text: string, fields: Record<string, number>): Promise<void> {
  for (const [label, most] of Object.entries(fields)) {
    // Codes lose all invisible characters, including joiners, before their length is checked.
    const measured = label === 'SKU' ? text.normalize('NFC').replace(/[\u200b\u200d\ufe0f]/g, '') : text;
    if (taken(measured, most)) await expect(at(label), label).not.toHaveAttribute('aria-invalid', 'true');
    else await refused(at(label));
    await expect(at(label), label).toHaveValue(text);
  }
}

async function fillAll(at: (label: string) => Locator, typed: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(typed)) await at(label).fill(value);
}

const everywhere = <T>(fields: Record<string, unknown>, value: (label: string) => T): Record<string, T> =>
  Object.fromEntries(Object.keys(fields).map((label) => [label, value(label)]));

/** A search is never an error, and its text stays in the field. */
async function search(page: Page, path: string, label: string, text: string): Promise<void> {
  expect(await visit(page, path)).toBe(200);
  await withoutBrowserChecks(page);
  await field(page, label).fill(text);
  await button(page, 'Search').click();
  await page.waitForURL((url) => url.searchParams.has('q'));
  await awake(page);
  // The router decodes percent signs in a URL twice.
  if (!text.includes('%')) await expect(field(page, label)).toHaveValue(stored(fitted(text, 100)));
  await calm(page);
}

/** A table with one product that contains the text in every column that allows it. */
const table = (text: string): string => {
  const quoted = (most: number) => `"${fitted(text, most).replace(/^[=+\-@]/, '').replaceAll('"', '""')}"`;
  const head = ['sku', 'title', 'brand', 'description', 'option1_name', 'option1_value', 'price', 'compare_at', 'stock', 'state'];
  const row = [quoted(64), quoted(500), quoted(100), quoted(10_000), quoted(100), quoted(100), '49', '99', '5', 'published'];
  return [head.join(','), row.join(',')].join('\n');
};

// Template syntax concerns code that all pages share, so testing the storefront is enough.
for (const [name, text] of Object.entries(TEXTS).filter(([name]) => name !== 'a template')) {
  test(name, async ({ page, visitor, market }) => {
    test.setTimeout(240_000);
    const [seller, operator] = [await visitor(), await visitor()];
    for (const each of [page, seller, operator]) {
      watch(each);
      await each.setViewportSize({ width: 390, height: 844 });
    }
    const handle = `hostile-${randomBytes(4).toString('hex')}`;
    const dashboard = `/seller/${handle}`;
    const at = (label: string) => field(seller, label);
    const shopNamed = stored(fitted(text, 80));

    await test.step('a shop is opened', async () => {
      await signUp(seller, `${handle}@example.com`);
      await visit(seller, '/seller/new');
      await withoutBrowserChecks(seller);
      await fillAll(at, everywhere({ Handle: 0, ...SHOP, ...TERMS }, () => text));
      await button(seller, 'Open a shop').click();
      await refused(at('Handle'));
      await awake(seller);
      await judged(at, text, { Handle: 0, ...SHOP, ...everywhere(TERMS, () => 0) });
      await calm(seller);
      await withoutBrowserChecks(seller);
      await fillAll(at, { Handle: handle, ...TERMS });
      for (const [label, most] of Object.entries(SHOP)) await at(label).fill(fitted(text, most));
      await button(seller, 'Open a shop').click();
      await arriveAt(seller, 'Dashboard');
      await calm(seller);
      await visit(seller, '/seller');
      await expect(main(seller).getByRole('link').first()).toHaveText(shopNamed);
      await calm(seller);
    });

    await test.step('its settings', async () => {
      await visit(seller, `${dashboard}/settings`);
      await withoutBrowserChecks(seller);
      await fillAll(at, everywhere({ ...SHOP, ...RETURNS }, () => text));
      await button(seller, 'Save').click();
      await refused(at('Return window (days)'));
      await awake(seller);
      await judged(at, text, { ...SHOP, ...everywhere(RETURNS, () => 0) });
      await calm(seller);
      await fillAll(at, RETURNS);
      for (const [label, most] of Object.entries(SHOP)) await at(label).fill(fitted(text, most));
      await button(seller, 'Save').click();
      await expect(main(seller).getByRole('alert').filter({ hasText: 'Saved' })).toBeVisible();
      await awake(seller);
      for (const [label, most] of Object.entries(SHOP)) {
        const typed = fitted(text, most);
        const several = /Description|Address/.test(label);
        await expect(at(label)).toHaveValue(several ? typed.normalize('NFC') : stored(typed));
      }
      await calm(seller);
      if (!runsScripts(seller)) return;
      // File names are chosen by the user.
      await field(seller, 'Logo').setInputFiles({ name: `${text.slice(0, 60)}.png`, mimeType: 'image/png', buffer: Buffer.from(text) });
      await expect(main(seller).locator('#logo-error')).not.toBeEmpty();
      await field(seller, 'Logo').setInputFiles({ ...png('logo.png', [180, 40, 30]), name: `${text.slice(0, 60)}.png` });
      await expect(main(seller).locator('.logo-panel img')).toHaveCount(1);
      await calm(seller);
    });

    await test.step('its shipping', async () => {
      await visit(seller, `${dashboard}/shipping`);
      await calm(seller);
      await main(seller).getByRole('link', { name: 'Everywhere else' }).click();
      await expect(at('Zone name')).toBeVisible();
      await awake(seller);
      await withoutBrowserChecks(seller);
      const named = (name: string) => seller.locator(`[name="${name}"]`);
      await at('Places').fill(text);
      await named('standard.rates').fill(text);
      await button(seller, 'Save').click();
      await refused(named('standard.rates'));
      await awake(seller);
      await calm(seller);
      await at('Zone name').fill(fitted(text, 60));
      await at('Places').fill('*');
      await named('standard.rates').fill('49');
      await named('standard.name').fill(fitted(text, 60));
      await named('express.offered').check();
      await named('express.rates').fill('99');
      await named('pickup.offered').check();
      await named('pickup.rates').fill('0');
      await button(seller, 'Save').click();
      await expect(main(seller).getByRole('alert').filter({ hasText: 'Saved' })).toBeVisible();
      await calm(seller);
    });

    if (runsScripts(seller)) {
      await test.step('a product is typed', () => typeProduct(seller, dashboard, text));
    }

    await test.step('products come from a file', async () => {
      await visit(seller, `${dashboard}/products/import`);
      const send = async (content: string) => {
        const file = { name: `${text.slice(0, 60).replaceAll('/', '')}.csv`, mimeType: 'text/csv', buffer: Buffer.from(content) };
        await field(seller, 'File').setInputFiles(file);
        await button(seller, 'Check file').click();
        await expect(main(seller).getByRole('link', { name: 'Import another file' })).toBeVisible();
        await awake(seller);
      };
      const quoted = `"${text.replaceAll('"', '""')}"`;
      await send([`sku,title,price,${quoted}`, `${quoted},${quoted},${quoted},${quoted}`].join('\n'));
      await expect(main(seller)).toContainText('No products in this file can be imported.');
      await calm(seller);
      await visit(seller, `${dashboard}/products/import`);
      if ((await button(seller, 'Cancel import').count()) > 0) {
        await button(seller, 'Cancel import').click();
        await expect(main(seller).getByRole('alert')).toBeVisible();
        await visit(seller, `${dashboard}/products/import`);
      }
      await calm(seller);
      await send(table(text));
      await calm(seller);
      // Where the text is HTML, a warning says so, and the button imports what is valid.
      await main(seller).getByRole('button', { name: /^Import 1 (valid )?product$/ }).click();
      await expect(async () => {
        if (!runsScripts(seller)) await seller.reload();
        await expect(main(seller).getByRole('alert')).toContainText('Import complete: 1 added', { timeout: 1000 });
      }).toPass();
      await calm(seller);
    });

    await test.step('the seller sees it', async () => {
      for (const part of ['', '/orders', '/products', '/balance']) {
        expect(await visit(seller, dashboard + part)).toBe(200);
        await calm(seller);
      }
      await search(seller, `${dashboard}/orders`, 'Order number, name or email', text);
      await search(seller, `${dashboard}/products`, 'Title, brand or SKU', text);
    });

    await test.step('shoppers see it, and buy', async () => {
      for (const list of [`/shops/${handle}`, '/shops', '/', '/products']) {
        expect(await visit(page, list)).toBe(200);
        await calm(page);
      }
      await visit(page, `/shops/${handle}`);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(shopNamed);
      const goods = main(page).locator('li a[href^="/p/"]');
      const paths = await goods.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
      expect(paths).toHaveLength(runsScripts(page) ? 2 : 1);
      for (const [index, path] of paths.entries()) {
        expect(await visit(page, path)).toBe(200);
        await calm(page);
        await button(page, 'Add to basket').click();
        await expect(cartLink(page, index + 1)).toBeVisible();
      }
      await visit(page, '/cart');
      await calm(page);
      await beginCheckout(page);
      await expect(main(page).getByRole('radio', { name: /Express/ })).toHaveCount(1);
      await calm(page);
    });

    const bought = await test.step('the order', async () => {
      await fillAddress(page);
      await choose(page, 'cash');
      await payButton(page).click();
      const { path, number } = await thanks(page, []);
      await calm(page);
      const order = `${number}-1`;
      await visit(seller, `${dashboard}/orders/${order}`);
      await calm(seller);
      return { path, order };
    });

    await test.step('it is sent', async () => {
      await button(seller, 'Confirm order').click();
      await expect(button(seller, 'Mark as shipped')).toBeVisible();
      await awake(seller);
      await withoutBrowserChecks(seller);
      // The form for a part of the order has the same fields.
      const shipment = (label: string) => at(label).first();
      const way = { Carrier: 80, 'Tracking number': 80 };
      await fillAll(shipment, everywhere({ ...way, 'Tracking link (optional)': 0 }, () => text));
      await button(seller, 'Mark as shipped').click();
      await refused(shipment('Tracking link (optional)'));
      await awake(seller);
      await judged(shipment, text, { ...way, 'Tracking link (optional)': 0 });
      await calm(seller);
      await withoutBrowserChecks(seller);
      for (const [label, most] of Object.entries(way)) await shipment(label).fill(fitted(text, most));
      await shipment('Tracking link (optional)').fill(`https://track.example/${'w'.repeat(470)}`);
      await button(seller, 'Mark as shipped').click();
      await expect(button(seller, 'Mark as delivered')).toBeVisible();
      await awake(seller);
      await calm(seller);
      expect(await visit(page, bought.path)).toBe(200);
      await expect(main(page)).toContainText(`Shipped with ${stored(fitted(text, 80))}`);
      await calm(page);
    });

    const cancelled = await test.step('another one is cancelled', async () => {
      await visit(page, `/shops/${handle}`);
      await main(page).locator('li a[href^="/p/"]').first().click();
      await expect(button(page, 'Add to basket')).toBeVisible();
      await awake(page);
      await button(page, 'Add to basket').click();
      await expect(cartLink(page, 1)).toBeVisible();
      await beginCheckout(page);
      await fillAddress(page);
      await choose(page, 'cash');
      await payButton(page).click();
      const { path, number } = await thanks(page, []);
      await visit(seller, `${dashboard}/orders/${number}-1`);
      await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
      await withoutBrowserChecks(seller);
      await at('Reason').fill(text);
      await button(seller, 'Cancel order').click();
      if (!taken(text, 300)) {
        await refused(at('Reason'));
        await awake(seller);
        await expect(at('Reason')).toHaveValue(text);
        await calm(seller);
        await at('Reason').fill(fitted(text, 300));
        await button(seller, 'Cancel order').click();
      }
      await expect(main(seller)).toContainText('This order was cancelled');
      await calm(seller);
      await visit(seller, dashboard);
      await calm(seller);
      await visit(page, path);
      await expect(main(page)).toContainText('This order has been cancelled.');
      await calm(page);
      return `${number}-1`;
    });

    await test.step('the mails', async () => {
      const subjects = [`New order ${bought.order}`, `${bought.order} has shipped`, `${cancelled} has been cancelled`];
      const mail = (words: string) => page.getByRole('link').filter({ hasText: words });
      await expect(async () => {
        await page.goto('/dev/mail');
        for (const words of subjects) await expect(mail(words)).toHaveCount(1, { timeout: 100 });
      }).toPass();
      await calm(page);
      for (const words of subjects) {
        await page.goto('/dev/mail');
        const path = await mail(words).getAttribute('href');
        await page.goto(path ?? '');
        await calm(page);
        await page.goto(`${path}/html`);
        await calm(page);
      }
    });

    await test.step('the operator sees it', async () => {
      const email = `operator-${handle}@example.com`;
      await market.run('admin', 'create', '--email', email, '--name', fitted(text, 100));
      await signIn(operator, email);
      for (const part of ['', '/orders', '/shops', '/users', '/jobs', '/outbox', '/notifications', '/audit']) {
        expect(await visit(operator, `/admin${part}`)).toBe(200);
        await calm(operator);
      }
      await visit(operator, '/admin/notifications?channel=email');
      await main(operator).getByRole('link', { name: `New order ${bought.order}` }).click();
      await arriveAt(operator, new RegExp(bought.order));
      await calm(operator);
      await search(operator, '/admin/orders', 'Order number, name or email', text);
      await search(operator, '/admin/shops', 'Search by name, handle or owner’s email', text);
      await search(operator, '/admin/users', 'Search by name or email', text);
    });
  });
}

/** The product form keeps rejected input, and shows accepted input again. In the end, the product is published. */
async function typeProduct(page: Page, dashboard: string, text: string): Promise<void> {
  const at = (label: string) => field(page, label);
  const variant = main(page).getByRole('group', { name: 'Variant 1', exact: true });
  const of = (label: string) => variant.getByLabel(label, { exact: true });
  const about = { Title: 500, 'Brand (optional)': 100, Description: 10_000 };
  const more = { Name: 100, Value: 10_000, 'Option name': 100 };
  const numbers = { 'Price (INR)': '49', Stock: '5', 'Compare-at price (INR)': '99', 'Low-stock alert at': '2' };
  const alt = at('Alt text');

  await visit(page, `${dashboard}/products/new`);
  await withoutBrowserChecks(page);
  // File names are shown next to the reason for their rejection.
  await field(page, 'Add images').setInputFiles([
    { name: `${text.slice(0, 60)}.svg`, mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') },
    { ...png('good.png', [90, 90, 90]), name: `${text.slice(0, 60)}.png` },
  ]);
  await expect(main(page).locator('#pictures-error')).toContainText('We can’t use this file.');
  await expect(alt).toHaveCount(1);
  await calm(page);
  await button(page, 'Add specification').click();
  await button(page, 'Add option').click();
  await at('Option name').fill(text);
  await at('Option values').fill(text);
  await at('Option values').press('Enter');
  // The variant without a value got that one.
  await variant.getByRole('button', { name: 'More fields for variant 1' }).click();
  const value = variant.locator('input[name*=".options."]');
  await expect(value).toHaveValue(text.trim());
  await value.fill(text);
  await withoutBrowserChecks(page);
  await fillAll(at, everywhere({ ...about, ...more }, () => text));
  await alt.fill(text);
  await fillAll(of, everywhere({ ...numbers, SKU: 0 }, () => text));
  await calm(page);
  await button(page, 'Save and publish').click();
  await refused(of('Price (INR)'));
  await judged(at, text, { ...about, ...more, 'Alt text': 300 });
  await judged(of, text, { SKU: 64, ...everywhere(numbers, () => 0) });
  await judged(() => value, text, { 'the value of the option': 100 });
  await calm(page);
  for (const [label, most] of Object.entries({ ...about, ...more, 'Alt text': 300 })) await at(label).fill(fitted(text, most));
  await value.fill(fitted(text, 100));
  await fillAll(of, { ...numbers, SKU: fitted(text, 60) + '-1' });
  await button(page, 'Save and publish').click();
  await arriveAt(page, stored(fitted(text, 500)));
  await expect(page.getByRole('link', { name: 'View product page' })).toBeVisible();
  await awake(page);
  await expect(at('Description')).toHaveValue(fitted(text, 10_000).normalize('NFC'));
  await expect(at('Value')).toHaveValue(stored(fitted(text, 10_000)));
  await expect(alt).toHaveValue(stored(fitted(text, 300)));
  await calm(page);
}
