// Text that means harm, in every field that a person can fill and in all that a shop can say about its goods.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '../fixtures';
import {
  ADDRESS,
  PASSWORD,
  PAY,
  SHOPS,
  addOne,
  basketLink,
  beginCheckout,
  button,
  choose,
  field,
  fillAddress,
  freshEmail,
  main,
  openProduct,
  payInCash,
  quantityOf,
  refused,
  shopName,
  signOutButton,
  thanks,
  visit,
  withoutBrowserChecks,
} from '../helpers';
import type { Page } from '../fixtures';

const TEXTS = {
  'the end of a text area': '</textarea><script>alert(1)</script>',
  'the end of a script': '</script><script>alert(1)</script><img src=x onerror=alert(1)>',
  'the end of an attribute': `" autofocus onfocus="alert(1)' onfocus='alert(1)`,
  'a template': '{{ 7 * 7 }} ${alert(1)} <!-- ]]> %00 \\u003cscript\\u003e',
  'characters that turn text around': 'Asha \u202eoaR\u2066 ok',
  'a word without an end': 'W'.repeat(10_000),
  'marks and pictures': `Zo${'\u0335\u0300\u0316'.repeat(15)}e 👩‍👩‍👧‍👦🏳️‍🌈 ﷽﷽﷽ \u200b\u2028`,
} as const;

test.use({ viewport: { width: 390, height: 844 } });

test.beforeEach(async ({ page, problems }) => {
  problems.allow(/Failed to load resource.*status of 4\d\d/);
  page.on('dialog', (dialog) => {
    throw new Error(`a dialog opened: ${dialog.message()}`);
  });
});

/** Nothing of what was typed became a part of the page, and the page is no wider than the phone. */
async function harmless(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const live = '[onerror], [onfocus], img[src="x"], script:not([src]):not([nonce])';
    const elements = [...document.querySelectorAll(live)].map((element) => element.outerHTML);
    const scripts = [...document.scripts].map((script) => script.text.trim()).filter((text) => text === 'alert(1)');
    const { scrollWidth, clientWidth } = document.documentElement;
    return { elements, scripts, wider: scrollWidth - clientWidth };
  });
  expect(found).toEqual({ elements: [], scripts: [], wider: 0 });
}

for (const [name, text] of Object.entries(TEXTS)) {
  test.describe(name, () => {
    test('in the search', async ({ page }) => {
      for (const words of [text, text.slice(0, 60)]) {
        expect(await visit(page, `/products?q=${encodeURIComponent(words)}`)).toBeLessThan(500);
        await harmless(page);
      }
    });

    test('in the quantity', async ({ page }) => {
      await openProduct(page, SHOPS[0]);
      await withoutBrowserChecks(page);
      await field(page, 'Quantity').fill(text);
      await button(page, 'Add to basket').click();
      await refused(field(page, 'Quantity'));
      await harmless(page);

      const product = await addOne(page, SHOPS[0], 1);
      await visit(page, '/basket');
      await withoutBrowserChecks(page);
      await quantityOf(page, product).fill(text);
      await button(page, /^Update/).click();
      await refused(quantityOf(page, product));
      await harmless(page);
    });

    test('in the name and the address of an account', async ({ page }) => {
      await visit(page, '/sign-up');
      await withoutBrowserChecks(page);
      await field(page, 'Name').fill(text);
      await field(page, 'E-mail').fill(text);
      await field(page, 'Password').fill(text);
      await button(page, 'Create account').click();
      await refused(field(page, 'E-mail'));
      await harmless(page);

      await visit(page, '/sign-up');
      await withoutBrowserChecks(page);
      await field(page, 'Name').fill(text);
      await field(page, 'E-mail').fill(freshEmail());
      await field(page, 'Password').fill(PASSWORD);
      await button(page, 'Create account').click();
      // It is taken as it is or refused at its field; either way the page says so.
      await expect(signOutButton(page).or(page.getByRole('alert'))).toBeVisible();
      await harmless(page);
      expect(await visit(page, '/account')).toBeLessThan(500);
      await harmless(page);
    });

    test('in every field of the checkout', async ({ page }) => {
      const shop = await shopName(page, SHOPS[0]);
      await addOne(page, SHOPS[0], 1);
      const checkout = await beginCheckout(page);
      await withoutBrowserChecks(page);
      for (const label of Object.keys(ADDRESS)) await field(page, label).fill(text);
      await choose(page, 'cash');
      await button(page, PAY).click();
      await refused(field(page, 'E-mail'));
      await harmless(page);
      expect(await visit(page, checkout)).toBe(200);
      await harmless(page);

      // What a label may carry is carried to the end, as text.
      const told = text.length <= 100 && !/[\u202e\u2028]/.test(text) ? text : 'Asha';
      await fillAddress(page, { 'Full name': told, 'Street and number': told, 'Town or city': told });
      await payInCash(page);
      await thanks(page, [shop]);
      await expect(main(page)).toContainText(told.trim());
      await harmless(page);
    });
  });
}

test('in all that is said about a product', async ({ page, market }) => {
  const folder = await mkdtemp(join(tmpdir(), 'haat-hostile-'));
  const file = join(folder, 'products.jsonl');
  const records = Object.values(TEXTS).map((text, index) => ({
    id: `hostile-${index}`,
    title: text,
    supplier: text,
    price: 4900,
    short_description: `${text}\n${text}`,
    [`attr_t_${text}`]: text,
  }));
  await writeFile(file, records.map((record) => JSON.stringify(record)).join('\n'));
  await market.run('import', 'products', file, '--shop', SHOPS[0]);
  await rm(folder, { recursive: true });

  for (const list of ['/', '/products', `/shops/${SHOPS[0]}`, '/products?q=alert']) {
    expect(await visit(page, list)).toBe(200);
    await harmless(page);
  }
  await visit(page, `/shops/${SHOPS[0]}`);
  const links = main(page).locator('li a[href^="/p/"]');
  const paths = await links.evaluateAll((all) => all.slice(0, 7).map((link) => link.getAttribute('href') ?? ''));
  for (const [index, path] of paths.entries()) {
    expect(await visit(page, path)).toBe(200);
    expect(await main(page).innerText(), 'nothing turns the text around').not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    await harmless(page);
    await button(page, 'Add to basket').click();
    await expect(basketLink(page, index + 1)).toBeVisible();
  }
  expect(await visit(page, '/basket')).toBe(200);
  await harmless(page);
  await beginCheckout(page);
  await harmless(page);
  await fillAddress(page);
  await payInCash(page);
  await thanks(page, []);
  await harmless(page);
});
