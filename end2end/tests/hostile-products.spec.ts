// Malicious text in everything that a shop can say about its products. In a market of its own, so that no other test sees it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, ownMarket, test as base } from '../fixtures';
import { SHOPS, cartLink, beginCheckout, button, fillAddress, main, payInCash, productLinks, thanks, visit } from '../helpers';
import { TEXTS, harmless, watch } from '../hostile';

const test = base.extend(ownMarket());

test.use({ viewport: { width: 390, height: 844 } });

test('in every field of a product', async ({ page, market }) => {
  watch(page);
  const folder = await mkdtemp(join(tmpdir(), 'haat-hostile-'));
  const file = join(folder, 'products.jsonl');
  const records = Object.values(TEXTS).map((text, index) => ({
    id: `hostile-${index}`,
    // As much of the text as the field allows.
    title: text.slice(0, 500),
    supplier: text.slice(0, 100),
    price: 4900,
    short_description: `${text}\n${text}`.slice(0, 10_000),
    [`attr_t_${text.slice(0, 100)}`]: text,
  }));
  await writeFile(file, records.map((record) => JSON.stringify(record)).join('\n'));
  await market.run('import', 'products', file, '--shop', SHOPS[0]);
  await rm(folder, { recursive: true });

  for (const list of ['/', '/products', `/shops/${SHOPS[0]}`, '/products?q=alert']) {
    expect(await visit(page, list)).toBe(200);
    await harmless(page);
  }
  await visit(page, `/shops/${SHOPS[0]}`);
  const paths = await productLinks(page).evaluateAll((all) => all.slice(0, 7).map((link) => link.getAttribute('href') ?? ''));
  for (const [index, path] of paths.entries()) {
    expect(await visit(page, path)).toBe(200);
    expect(await main(page).innerText(), 'nothing turns the text around').not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    await harmless(page);
    await button(page, 'Add to basket').click();
    await expect(cartLink(page, index + 1)).toBeVisible();
  }
  expect(await visit(page, '/cart')).toBe(200);
  await harmless(page);
  await beginCheckout(page);
  await harmless(page);
  await fillAddress(page);
  await payInCash(page);
  await thanks(page, []);
  await harmless(page);
});
