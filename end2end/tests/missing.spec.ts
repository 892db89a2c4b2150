import { expect, test } from '../fixtures';
import type { Page } from '../fixtures';
import {
  SHOPS,
  addOne,
  beginCheckout,
  fillAddress,
  payInCash,
  shopName,
  thanks,
  title,
  visit,
} from '../helpers';

async function isMissing(page: Page, path: string): Promise<void> {
  expect(await visit(page, path), path).toBe(404);
  await expect(title(page, 'Page not found')).toBeVisible();
  await expect(page.getByRole('banner')).toBeVisible();
}

for (const path of [
  '/no-such-page',
  '/seller/no-such-shop/no-such-page',
  '/admin/no-such-page',
  '/p/no-such-product',
  '/shops/no-such-shop',
  '/checkout/chk_00000000000000000000000000',
  '/checkout/not-an-id',
  '/purchases/H00000000',
  '/purchases/%00',
  '/p/%E0%A4%A',
]) {
  test(`${path} is not found`, async ({ page }) => {
    // Paths that aren't valid UTF-8 may be rejected before anything is looked up.
    if (path.includes('%')) {
      const response = await page.request.get(path);
      expect([400, 404]).toContain(response.status());
    } else {
      await isMissing(page, path);
    }
  });
}

test('a checkout and a purchase exist only for their owner', async ({ page, visitor }) => {
  const name = await shopName(page, SHOPS[0]);
  await addOne(page, SHOPS[0], 1);
  const checkout = await beginCheckout(page);
  const stranger = await visitor();
  await isMissing(stranger, checkout);
  // Nor for a visitor with a basket of their own.
  await addOne(stranger, SHOPS[0], 1);
  await isMissing(stranger, checkout);

  await fillAddress(page);
  await payInCash(page);
  const { path } = await thanks(page, [name]);
  expect(await visit(page, path)).toBe(200);
  await isMissing(stranger, path);
});
