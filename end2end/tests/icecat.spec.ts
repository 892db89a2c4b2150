// A purchase from a real catalogue: 19,406 products, every second one in the other shop.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { expect, test as base } from '../fixtures';
import {
  SHOPS,
  arriveAt,
  awake,
  cartLink,
  beginCheckout,
  button,
  fillAddress,
  main,
  payByCard,
  payInCash,
  productLinks,
  shopName,
  thanks,
  visit,
} from '../helpers';
import type { Page } from '../fixtures';
import { Market } from '../server';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const catalogue = join(process.env.HAAT_TEST_DATA ?? join(repository, '..', 'shared', 'data'), 'icecat-products.jsonl.gz');

const test = base.extend<object, { market: Market }>({
  market: [
    async ({ database }, use) => {
      const market = await Market.open(database);
      const folder = await mkdtemp(join(tmpdir(), 'haat-icecat-'));
      const lines = gunzipSync(await readFile(catalogue)).toString().trim().split('\n');
      for (const [index, shop] of SHOPS.entries()) {
        const file = join(folder, `${shop}.jsonl`);
        await writeFile(file, lines.filter((_, line) => line % SHOPS.length === index).join('\n'));
        await market.run('import', 'products', file, '--shop', shop);
      }
      await rm(folder, { recursive: true });
      await use(market);
      await market.close();
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

test.skip(!existsSync(catalogue), `${catalogue} is not here: the real catalogue is not tested`);

/** Goes to the second page of a list, opens its first product and adds it to the basket. */
async function pickFrom(page: Page, list: string, count: number): Promise<void> {
  await visit(page, list);
  await expect(productLinks(page)).toHaveCount(24);
  await main(page).getByRole('link', { name: 'Next page', exact: true }).click();
  await page.waitForURL(/after=/);
  await awake(page);
  const href = await productLinks(page).first().getAttribute('href');
  expect(await visit(page, href ?? 'no product')).toBe(200);
  await button(page, 'Add to basket').click();
  await expect(cartLink(page, count)).toBeVisible();
}

for (const way of ['a card that asks for a confirmation', 'cash on delivery'] as const) {
  test(`two of 19,406 products, from two shops, by ${way}`, async ({ page }) => {
    const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
    await pickFrom(page, `/shops/${SHOPS[0]}`, 1);
    await pickFrom(page, `/products?q=HP+black&shop=${SHOPS[1]}`, 2);
    await beginCheckout(page);
    await fillAddress(page);
    if (way === 'cash on delivery') await payInCash(page);
    else await payByCard(page, 'challenge');
    const bought = await thanks(page, names);
    expect(bought.orders).toHaveLength(2);
  });
}

test('a search without matches finds nothing', async ({ page }) => {
  await visit(page, '/products?q=zyzzyva');
  await arriveAt(page, /zyzzyva/);
  await expect(productLinks(page)).toHaveCount(0);
});
