// What a seller changes is found at once.
import { randomBytes } from 'node:crypto';

import { type Page, expect, test } from '../fixtures';
import { SELLERS, arriveAt, awake, button, field, main, productLinks, signIn, visit } from '../helpers';

test('a new product and a change of its price are found within seconds', async ({ page, visitor }) => {
  const seller = await visitor();
  await signIn(seller, SELLERS['meena-crafts']);
  await visit(seller, '/seller/meena-crafts/products/new');
  await awake(seller);
  const whistle = `Zirconium whistle ${randomBytes(4).toString('hex')}`;
  const variant = main(seller).locator('fieldset.variant').first();
  await field(seller, 'Title').fill(whistle);
  await field(seller, 'Description').fill('It whistles.');
  await variant.getByLabel('Price (INR)', { exact: true }).fill('99');
  await variant.getByLabel('Stock', { exact: true }).fill('5');
  await button(seller, 'Save and publish').click();
  await arriveAt(seller, whistle);
  await isFound(page, whistle, '100');
  await variant.getByLabel('Price (INR)', { exact: true }).fill('49');
  await button(seller, /^Save/).first().click();
  await isFound(page, whistle, '50');
});

/** Waits until a product is found by its title at this price at most. */
async function isFound(page: Page, title: string, most: string): Promise<void> {
  await expect(async () => {
    await visit(page, `/products?${new URLSearchParams({ q: title, max: most })}`);
    await expect(productLinks(page).filter({ hasText: title })).toHaveCount(1, { timeout: 100 });
  }).toPass({ timeout: 4_000, intervals: [100] });
}
