// Client-side navigation from page to page.
import { expect, test } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, awake, cartLink, productLinks, signIn, title, visit } from '../helpers';

test('the focus goes to the title of the page, and the title is that of the tab', async ({ page }) => {
  await visit(page, '/products');
  await page.evaluate(() => (document.documentElement.dataset.same = 'page'));
  const link = productLinks(page).first();
  const name = (await link.innerText()).trim();
  await link.focus();
  await page.keyboard.press('Enter');
  await expect(title(page, name)).toBeFocused();
  await expect(page).toHaveTitle(`${name} · Haat`);
  // The next element that Tab reaches comes after the title.
  await page.keyboard.press('Tab');
  const after = await page.evaluate(() =>
    Boolean(document.querySelector('h1')!.compareDocumentPosition(document.activeElement!) & Node.DOCUMENT_POSITION_FOLLOWING),
  );
  expect(after).toBe(true);
  await cartLink(page).click();
  await expect(title(page, 'Your basket')).toBeFocused();
  await expect(page.locator('html')).toHaveAttribute('data-same', 'page');
});

test('going back restores the scroll position, and going forward starts at the top', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await visit(page, `/shops/${SHOPS[0]}`);
  const link = productLinks(page).last();
  await link.scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => window.scrollY);
  expect(place).toBeGreaterThan(300);
  const name = (await link.innerText()).trim();
  await link.click();
  await expect(title(page, name)).toBeFocused();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(0);
  await page.goBack();
  await expect(productLinks(page).last()).toBeInViewport();
  await expect.poll(() => page.evaluate(() => window.scrollY)).toBe(place);
});

test('changes within a page keep the focus', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  await expect(page.getByRole('button', { name: 'Add to basket' })).toBeFocused();
  await expect(page.getByRole('status').filter({ hasText: 'Added to basket' })).toBeVisible();
});

test('slow content shows a skeleton while it loads', async ({ page }) => {
  await visit(page, '/');
  await page.evaluate(() => (document.documentElement.dataset.same = 'page'));
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route('**/api/catalog/find', async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest('**/api/catalog/find');
  await page.getByRole('contentinfo').getByRole('link', { name: 'All products' }).click();
  await asked;
  // The page was not loaded again, and nothing is in place of the content.
  await expect(page.locator('html')).toHaveAttribute('data-same', 'page');
  await expect(title(page, 'All products')).toHaveCount(0);
  await expect(page.locator('.skeleton')).toBeVisible();
  answer();
  await expect(title(page, 'All products')).toBeVisible();
  await expect(page.locator('.skeleton')).toHaveCount(0);
});

test('going back before the page is hydrated shows the page before', async ({ page }) => {
  await visit(page, '/products');
  const link = productLinks(page).first();
  const name = (await link.innerText()).trim();
  await link.click();
  await expect(title(page, name)).toBeFocused();
  // The program arrives only after the visitor has gone back.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await expect(title(page, name)).toBeVisible();
  await page.evaluate(() => history.back());
  await expect(title(page, 'All products')).toBeVisible();
  release();
  await awake(page);
  await expect(page).toHaveURL(/\/products$/);
  await productLinks(page).first().click();
  await expect(title(page, name)).toBeFocused();
});

test('a page whose code does not arrive still has links', async ({ page, problems }) => {
  problems.allow(/ERR_FAILED|Failed to fetch/);
  await page.route('**/*.wasm', (route) => (route.request().url().includes('/haat') ? route.continue() : route.abort()));
  await page.goto('/products', { waitUntil: 'networkidle' });
  await expect(page.locator('html')).toHaveAttribute('data-plain', '');
  const link = productLinks(page).first();
  const name = (await link.innerText()).trim();
  await link.click();
  await expect(title(page, name)).toBeVisible();
  await expect(page).toHaveURL(/\/p\//);
});

test('a link to the sign-in page leads on those who are signed in', async ({ page }) => {
  await signIn(page, SELLERS[SHOPS[0]]);
  await visit(page, '/products');
  await page.evaluate(() => {
    const link = Object.assign(document.createElement('a'), { href: '/sign-in?next=/account', textContent: 'Come in' });
    document.querySelector('main')!.prepend(link);
  });
  await page.getByRole('link', { name: 'Come in' }).click();
  await arriveAt(page, 'Your account');
  expect(new URL(page.url()).pathname).toBe('/account');
});
