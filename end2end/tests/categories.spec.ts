// The category tree: added to, renamed, reordered, moved with its products, and removed, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { arriveAt, awake, button, field, main, operate, visit } from '../helpers';

const test = base.extend(ownMarket());

test('a category is added, shown in the shop, moved with its products, and removed', async ({ market, page, visitor }) => {
  await operate(market, page);
  const shopper = await visitor();
  await visit(page, '/admin/categories');
  const row = (name: string) => main(page).getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await expect(row('Tableware')).toBeVisible();

  await main(page).getByRole('link', { name: 'Add category' }).click();
  await expect(main(page).getByRole('heading', { name: 'Add category' })).toBeVisible();
  await awake(page);
  // What is wrong is said, and what was typed stays.
  await field(page, 'Name (English)').fill('चायदानी');
  await field(page, 'Name (Hindi) (optional)').fill('चायदानी');
  await button(page, 'Save').click();
  await expect(field(page, 'Name (English)')).toHaveValue('चायदानी');
  await expect(field(page, 'Name (Hindi) (optional)')).toHaveValue('चायदानी');
  await expect(main(page)).toContainText('Link');
  await awake(page);
  await field(page, 'Name (English)').fill('Teapots');
  await main(page).getByLabel('Parent category').selectOption('tableware');
  await button(page, 'Save').click();
  await expect(main(page)).toContainText('Category added.');
  await expect(row('Teapots')).toContainText('चायदानी');
  await visit(shopper, '/c/tableware');
  await expect(main(shopper).getByRole('link', { name: 'Teapots' })).toBeVisible();
  await visit(shopper, '/c/teapots');
  await arriveAt(shopper, 'Teapots');

  // It is the last one beside its siblings.
  await awake(page);
  await button(page, 'Move up: Teapots').click();
  await expect(main(page)).toContainText('Category moved.');

  // With products in it, the whole category goes elsewhere.
  await visit(shopper, '/c/tableware');
  const product = await main(shopper).locator('li a[href^="/p/"]').first().getAttribute('href');
  await visit(page, '/admin/categories?edit=tableware');
  await main(page).getByLabel('Parent category').selectOption('');
  await button(page, 'Save').click();
  await expect(main(page)).toContainText('Saved');
  await visit(shopper, product!);
  await expect(main(shopper).getByRole('navigation').getByRole('link', { name: 'Tableware' })).toBeVisible();
  await visit(shopper, '/c/teapots');
  await expect(main(shopper).getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Tableware' })).toBeVisible();

  await row('Tableware').getByRole('link').click();
  await expect(field(page, 'Name (English)')).toHaveValue('Tableware');
  await awake(page);
  await main(page).getByText('Remove category').first().click();
  await main(page).getByLabel('Move its products to').selectOption('teapots');
  await button(page, 'Remove category').click();
  await expect(main(page)).toContainText('Category removed.');
  await expect(row('Tableware')).toHaveCount(0);
  await visit(shopper, '/c/teapots');
  await expect(main(shopper).locator(`a[href="${product}"]`).first()).toBeVisible();
});
