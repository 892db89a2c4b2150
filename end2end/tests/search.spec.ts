// Finding a product: with a typing error, narrowed down by two facets, sorted, and shared as a URL; with and without JavaScript.
import { randomBytes } from 'node:crypto';

import { expect, test } from '../fixtures';
import { arriveAt, audit, awake, button, field, main, operate, productLinks, visit } from '../helpers';

test('a search forgives a typing error, and is narrowed down, sorted and shared', async ({ page, visitor }) => {
  // The index is built while the first pages are served.
  await expect(async () => {
    await visit(page, '/products?q=lamp');
    await expect(main(page).locator('.result-count')).toBeVisible({ timeout: 500 });
  }).toPass();
  const found = await productLinks(page).count();
  expect(found).toBeGreaterThan(0);
  await visit(page, '/products?q=lmap');
  await expect(productLinks(page).first()).toBeVisible();
  await visit(page, '/products?q=ceramik');
  await expect(main(page)).toContainText('Showing results for');
  await audit(page);

  await visit(page, '/products?q=set');
  await awake(page);
  const filters = main(page).locator('details.filters');
  const summary = filters.locator('summary');
  if (await summary.isVisible()) await summary.click();
  await filters.getByRole('navigation', { name: 'Shop' }).getByRole('link').first().click();
  await expect(page).toHaveURL(/shop=/);
  await awake(page);
  if (await summary.isVisible()) await summary.click();
  await filters.getByRole('link', { name: /^In stock/ }).click();
  await expect(page).toHaveURL(/stock=1/);
  await awake(page);
  const active = main(page).getByRole('navigation', { name: 'Active filters' });
  await expect(active.getByRole('link')).toHaveCount(2);
  await audit(page);
  await main(page).getByRole('link', { name: 'Price, low to high' }).click();
  await expect(page).toHaveURL(/sort=price_low/);
  await awake(page);
  // Whoever gets the URL sees the same.
  const other = await visitor();
  const url = new URL(page.url());
  await visit(other, url.pathname + url.search);
  const sorted = await productLinks(other).allTextContents();
  expect(sorted.length).toBeGreaterThan(1);
  await expect(async () => expect(await productLinks(page).allTextContents()).toEqual(sorted)).toPass();
  await active.getByRole('link').first().click();
  await expect(active.getByRole('link')).toHaveCount(1);
  await main(page).getByRole('link', { name: 'Remove filters' }).first().click();
  await expect(active).toHaveCount(0);
});

test('attributes narrow a list down', async ({ page }) => {
  await visit(page, '/products?q=kurta');
  await awake(page);
  const filters = main(page).locator('details.filters');
  const summary = filters.locator('summary');
  if (await summary.isVisible()) await summary.click();
  const fact = filters.locator('a[href*="fact="]').first();
  await fact.click();
  await expect(page).toHaveURL(/fact=/);
  await awake(page);
  await expect(main(page).getByRole('navigation', { name: 'Active filters' }).getByRole('link')).toHaveCount(1);
  expect(await productLinks(page).count()).toBeGreaterThan(0);
});

test('a search without results helps', async ({ page }) => {
  await visit(page, '/products?q=zyzzyva');
  await arriveAt(page, /^Results for/);
  await expect(main(page)).toContainText('No results');
  await audit(page);
});

test('an admin sees what is searched for in vain, and gives it a synonym', async ({ page, visitor, market }) => {
  const admin = await visitor();
  await operate(market, admin);
  const word = `zb${randomBytes(5).toString('hex')}`;
  await visit(page, `/products?q=${word}`);
  await expect(main(page)).toContainText('No results');
  const missed = main(admin).getByRole('table', { name: 'Searches without results' });
  await expect(async () => {
    await visit(admin, '/admin/search');
    await expect(missed).toContainText(word, { timeout: 100 });
  }).toPass({ timeout: 10_000 });
  await awake(admin);
  await audit(admin);
  const before = await field(admin, 'Words that mean the same').inputValue();
  await field(admin, 'Words that mean the same').fill(`${before}\n${word}`);
  await button(admin, 'Save synonyms').click();
  await expect(field(admin, 'Words that mean the same')).toHaveAttribute('aria-invalid', 'true');
  await awake(admin);
  await field(admin, 'Words that mean the same').fill(`${before}\n${word}, kurta`);
  await button(admin, 'Save synonyms').click();
  await expect(main(admin)).toContainText('The synonyms have been saved.');
  await expect(async () => {
    await visit(page, `/products?q=${word}`);
    await expect(productLinks(page).first()).toBeVisible({ timeout: 100 });
  }).toPass({ timeout: 4_000 });
});
