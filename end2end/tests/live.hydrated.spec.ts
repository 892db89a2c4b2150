// What pages do beyond plain forms, once their scripts run.
import { expect, test } from '../fixtures';
import {
  SHOPS,
  addOne,
  arriveAt,
  basketLink,
  beginCheckout,
  button,
  choose,
  everyPage,
  fillAddress,
  freshEmail,
  main,
  PAY,
  openProduct,
  payAtSandbox,
  shopName,
  signUp,
  thanks,
  visit,
} from '../helpers';

test('adding to the basket leaves the page where it is', async ({ page }) => {
  await openProduct(page, SHOPS[0]);
  await page.evaluate(() => Object.assign(window, { stayed: true }));
  for (const count of [1, 2]) {
    await button(page, 'Add to basket').click();
    await expect(basketLink(page, count)).toBeVisible();
  }
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true);
});

test('no page has an error in its console', async ({ page }) => {
  test.setTimeout(300_000);
  await everyPage(page, async () => {});
});

for (const method of ['cash', 'card'] as const) {
  test(`an impatient double click on Pay makes one purchase, by ${method}`, async ({ page }) => {
    await signUp(page, freshEmail());
    const name = await shopName(page, SHOPS[0]);
    await addOne(page, SHOPS[0], 1);
    await beginCheckout(page);
    await fillAddress(page);
    await choose(page, method);
    await button(page, PAY).dblclick();
    if (method === 'card') await payAtSandbox(page, 'approve');
    const { number } = await thanks(page, [name]);
    await visit(page, '/account');
    await arriveAt(page, 'Your account');
    const purchases = main(page).locator('a[href^="/purchases/"]');
    const addresses = await purchases.evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute('href')))]);
    expect(addresses).toEqual([`/purchases/${number}`]);
  });
}
