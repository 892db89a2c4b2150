// The layout of the back office, with and without JavaScript: its own bar and navigation, and nothing of the storefront's.
import { type Page, expect, test } from '../fixtures';
import { SELLERS, SHOPS, accountMenu, arriveAt, audit, awake, looks, main, operate, shopName, signIn, signOut, visit } from '../helpers';

const SHOP = SHOPS[0];

/** The page has the bar of the back office, and no header, categories, basket or footer of the storefront. */
async function hasItsOwnBar(page: Page): Promise<void> {
  await expect(page.getByRole('banner')).toHaveCount(1);
  await expect(page.getByRole('contentinfo')).toHaveCount(0);
  await expect(page.getByRole('navigation', { name: 'Categories' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: /^Basket/ })).toHaveCount(0);
  await expect(page.getByRole('main')).toHaveCount(1);
}

test('the dashboard has a bar and a navigation of its own', async ({ page }) => {
  const name = await shopName(page, SHOP);
  await signIn(page, SELLERS[SHOP]);
  for (const path of ['/seller', '/seller/new', `/seller/${SHOP}`, `/seller/${SHOP}/orders`]) {
    expect(await visit(page, path), path).toBe(200);
    await hasItsOwnBar(page);
  }
  const bar = page.getByRole('banner');
  await expect(bar.getByRole('link', { name: 'View your shop' })).toHaveAttribute('href', `/shops/${SHOP}`);

  // The menu of shops.
  const shops = bar.locator('details').filter({ hasText: 'Open another shop' });
  await shops.locator('summary').click();
  await expect(shops.getByRole('link', { name })).toHaveAttribute('href', `/seller/${SHOP}`);
  await expect(shops.getByRole('link', { name: 'Admin' })).toHaveCount(0);
  await shops.getByRole('link', { name: 'Open another shop' }).click();
  await arriveAt(page, 'Open a shop');
  await hasItsOwnBar(page);

  // The account menu: language, account, sign out.
  await visit(page, `/seller/${SHOP}/orders`);
  await accountMenu(page).locator('summary').click();
  await accountMenu(page).getByRole('button', { name: 'हिन्दी' }).click();
  await arriveAt(page, 'ऑर्डर');
  await awake(page);
  await accountMenu(page).locator('summary').click();
  await accountMenu(page).getByRole('button', { name: 'English' }).click();
  await arriveAt(page, 'Orders');
  await awake(page);
  await accountMenu(page).locator('summary').click();
  await accountMenu(page).getByRole('link', { name: 'Account' }).click();
  await arriveAt(page, 'Your account');
  await expect(page.getByRole('contentinfo')).toBeVisible();
  await visit(page, `/seller/${SHOP}`);
  await signOut(page);
  expect(await visit(page, `/seller/${SHOP}`)).toBe(401);
  await hasItsOwnBar(page);
});

test('the storefront keeps its header, on the way there and back', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, '/');
  await page.getByRole('banner').getByRole('link', { name: /^Manage/ }).click();
  await arriveAt(page, 'Dashboard');
  await hasItsOwnBar(page);
  await page.getByRole('banner').getByRole('link', { name: 'View your shop' }).click();
  await expect(page.getByRole('contentinfo')).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Categories' })).toBeVisible();
  await expect(page.getByRole('navigation', { name: 'Seller dashboard' })).toHaveCount(0);
});

test('the search works without JavaScript, as a link to the orders', async ({ page, hydrated }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}`);
  const search = page.getByRole('banner').getByRole(hydrated ? 'button' : 'link', { name: 'Search…' });
  await expect(search).toHaveAttribute('href', `/seller/${SHOP}/orders`);
  await search.click();
  if (hydrated) await expect(page.getByRole('dialog')).toBeVisible();
  else await arriveAt(page, 'Orders');
});

test('on phones, the navigation is a bar at the bottom', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}/products`);
  const nav = page.getByRole('navigation', { name: 'Seller dashboard' });
  const box = (await nav.boundingBox())!;
  expect(Math.round(box.y + box.height)).toBe(844);
  expect(Math.round(box.width)).toBe(390);
  for (const link of await nav.getByRole('link').all()) expect((await link.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  await expect(nav.getByRole('link', { name: 'Products' })).toHaveAttribute('aria-current', 'page');
  await nav.getByRole('link', { name: 'Orders' }).click();
  await arriveAt(page, 'Orders');
  await page.setViewportSize({ width: 1280, height: 900 });
  expect((await nav.boundingBox())!.x).toBe(0);
  expect((await main(page).boundingBox())!.x).toBeGreaterThan(200);
});

test('on phones, Admin shows four sections and the others behind More', async ({ page, market }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await operate(market, page);
  await visit(page, '/admin/commission');
  expect(await page.evaluate(() => [scrollY, document.documentElement.scrollHeight > innerHeight])).toEqual([0, true]);
  await visit(page, '/admin');
  const nav = page.getByRole('navigation', { name: 'Admin' });
  const [shops, jobs] = [nav.getByRole('link', { name: 'Shops' }), nav.getByRole('link', { name: 'Jobs' })];
  await expect(shops).toBeVisible();
  await expect(jobs).toBeHidden();
  await nav.getByRole('checkbox', { name: 'More' }).focus();
  await page.keyboard.press('Space');
  await expect(jobs).toBeVisible();
  expect((await jobs.boundingBox())!.y).toBeLessThan((await shops.boundingBox())!.y);
  await jobs.click();
  await arriveAt(page, 'Jobs');
  await expect(nav.getByRole('link', { name: 'Team' })).toBeHidden();
  await page.setViewportSize({ width: 1280, height: 900 });
  await expect(nav.getByRole('link', { name: 'Team' })).toBeVisible();
  await expect(nav.getByRole('checkbox')).toBeHidden();
});

test('axe finds nothing with open menus', async ({ page, market }) => {
  await operate(market, page);
  await visit(page, '/admin');
  await hasItsOwnBar(page);
  for (const menu of await page.getByRole('banner').locator('details').all()) {
    await menu.locator('summary').click();
    await looks(page, async () => audit(page));
  }
});
