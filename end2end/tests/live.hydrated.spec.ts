// What pages do beyond plain forms once they are hydrated.
import { expect, test } from '../fixtures';
import {
  SHOPS,
  addOne,
  arriveAt,
  cartLink,
  beginCheckout,
  button,
  choose,
  everyPage,
  field,
  fillAddress,
  freshEmail,
  main,
  payButton,
  openProduct,
  payAtSandbox,
  quantityOf,
  setQuantity,
  shopName,
  signOut,
  signUp,
  thanks,
  title,
  visit,
} from '../helpers';

test('adding to the basket does not reload the page', async ({ page }) => {
  await openProduct(page, SHOPS[0]);
  await page.evaluate(() => Object.assign(window, { stayed: true }));
  for (const count of [1, 2]) {
    await button(page, 'Add to basket').click();
    await expect(cartLink(page, count)).toBeVisible();
  }
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true);
});

test('no page has an error in its console', async ({ page }) => {
  test.setTimeout(300_000);
  await everyPage(page, async () => {});
});

for (const method of ['cash', 'card'] as const) {
  test(`an impatient double click on Place order makes one purchase, by ${method}`, async ({ page }) => {
    await signUp(page, freshEmail());
    const name = await shopName(page, SHOPS[0]);
    await addOne(page, SHOPS[0], 1);
    await beginCheckout(page);
    await fillAddress(page);
    await choose(page, method);
    await payButton(page).dblclick();
    if (method === 'card') await payAtSandbox(page, 'approve');
    const { number } = await thanks(page, [name]);
    await visit(page, '/account');
    await arriveAt(page, 'Your account');
    const purchases = main(page).locator('a[href^="/purchases/"]');
    const addresses = await purchases.evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute('href')))]);
    expect(addresses).toEqual([`/purchases/${number}`]);
  });
}

test('after a line is removed or changed, the focus stays in the basket, and the new total is announced', async ({ page }) => {
  const first = await addOne(page, SHOPS[0], 1, 0);
  const second = await addOne(page, SHOPS[0], 2, 1);
  await visit(page, '/cart');
  const status = page.getByRole('status').filter({ hasText: 'Total:' });
  const more = button(page, `Increase quantity of ${second}`);
  await more.click();
  await expect(cartLink(page, 3)).toBeVisible();
  await expect(more).toBeFocused();
  await expect(status).toContainText(/^Basket updated. Total: ₹/);
  await button(page, `Remove ${first}`).click();
  await expect(cartLink(page, 2)).toBeVisible();
  await expect(button(page, `Remove ${second}`)).toBeFocused();
  await expect(status).toContainText(/^Removed from basket. Total: ₹/);
  await expect(main(page).locator('.line-total')).toHaveText(new RegExp(`^Total for ${second}: ₹`));
  await button(page, `Remove ${second}`).click();
  await expect(title(page, 'Your basket')).toBeFocused();
});

test('quantities are saved by themselves, and a removed line is brought back', async ({ page }) => {
  const product = await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  const quantity = quantityOf(page, product);
  await expect(button(page, /^Update/)).toHaveCount(0);
  await button(page, `Increase quantity of ${product}`).click({ clickCount: 2 });
  await expect(quantity).toHaveValue('3');
  await expect(cartLink(page, 3)).toBeVisible();
  await button(page, `Decrease quantity of ${product}`).click();
  await expect(cartLink(page, 2)).toBeVisible();
  await quantity.fill('4');
  await expect(cartLink(page, 4)).toBeVisible();
  await button(page, `Remove ${product}`).click();
  await expect(cartLink(page, 0)).toBeVisible();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await expect(cartLink(page, 4)).toBeVisible();
  await expect(quantity).toHaveValue('4');
  await expect(quantity).toBeFocused();
  await visit(page, '/cart');
  await expect(quantity).toHaveValue('4');
});

test('what is typed at the checkout is stored one change after another', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  const checkout = await beginCheckout(page);
  let [sent, stored] = [0, 0];
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/checkout/update', async (route) => {
    sent += 1;
    if (sent === 1) await held;
    await route.continue();
  });
  page.on('response', (response) => {
    if (response.url().endsWith('/api/checkout/update')) stored += 1;
  });
  // A change ends when the field is left.
  const type = async (label: string, text: string) => {
    await field(page, label).fill(text);
    await field(page, label).blur();
  };
  await type('Full name', 'Asha Rao');
  await expect.poll(() => sent).toBe(1);
  await type('Town or city', 'Pune');
  await type('Phone (optional)', '+91 20 5550 1234');
  // Longer than the page waits for a click that would send it all anyway.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  expect(sent, 'the first is not stored yet').toBe(1);
  release();
  await expect.poll(() => stored).toBe(2);
  expect(sent, 'the changes in between go together').toBe(2);
  await visit(page, checkout);
  await expect(field(page, 'Town or city')).toHaveValue('Pune');
  await expect(field(page, 'Phone (optional)')).toHaveValue('+91 20 5550 1234');
});

test('the names and the optional parts of the address follow the country', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await field(page, 'State (optional)').selectOption({ label: 'Goa' });
  await expect(field(page, 'PIN code')).toHaveAccessibleDescription('For example, 110034');
  await field(page, 'Country').selectOption('US');
  await expect(field(page, 'State')).toHaveValue('');
  await field(page, 'State').selectOption({ label: 'California' });
  await expect(field(page, 'ZIP code')).toHaveAccessibleDescription('For example, 95014');
  // Each country has the state that was selected for it.
  await field(page, 'Country').selectOption('IN');
  await expect(field(page, 'State (optional)')).toHaveValue('GA');
  await field(page, 'Country').selectOption('GB');
  await expect(field(page, 'Postcode')).toBeVisible();
  await expect(page.locator('#region')).toBeHidden();
  await expect(page.locator('#region')).toBeDisabled();
  await field(page, 'Country').selectOption('SG');
  await expect(field(page, 'Town or city (optional)')).toBeVisible();
  await field(page, 'Country').selectOption('JP');
  await field(page, 'Prefecture').selectOption({ label: 'Tokyo (東京都)' });
  // Addresses of Hong Kong have no postal code, and those of Costa Rica a province in words.
  await field(page, 'Country').selectOption('HK');
  await expect(page.locator('#postal_code')).toBeHidden();
  await expect(page.locator('#postal_code')).toBeDisabled();
  await field(page, 'Country').selectOption('CR');
  await field(page, 'Province').fill('San José');
});

test('the time left is counted by the second in the last five minutes', async ({ page }) => {
  await page.clock.install();
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  const timer = main(page).getByRole('timer');
  await expect(timer).toHaveText(/^1[45] minutes left/);
  await page.clock.fastForward('11:00');
  await expect(timer).toHaveText(/^[34]:\d\d left/);
  await expect(main(page).locator('[aria-live=polite]')).toHaveText('5 minutes left to complete your order');
});

test('what others hold is no longer offered on an open page, and comes back with what they let go', async ({ page, visitor }) => {
  const product = await openProduct(page, SHOPS[0], 2);
  const path = new URL(page.url()).pathname;
  const { variants } = (await (await page.request.get(`/api/v1/products${path.replace('/p', '')}`)).json()) as {
    variants: { available: number }[];
  };
  const [{ available }] = variants;
  const other = await visitor();
  await signUp(other, freshEmail());
  await visit(other, path);
  await field(other, 'Quantity').fill(String(available - 2));
  await button(other, 'Add to basket').click();
  await expect(cartLink(other, available - 2)).toBeVisible();
  await beginCheckout(other);
  await expect(main(page)).toContainText('Only 2 left', { timeout: 2_000 });

  const hold = async (count: number): Promise<void> => {
    await visit(other, '/cart');
    await setQuantity(other, product, String(count));
    await expect(cartLink(other, count)).toBeVisible();
    await beginCheckout(other);
  };
  await hold(available);
  await expect(main(page)).toContainText('Out of stock', { timeout: 2_000 });
  await expect(button(page, 'Add to basket')).toBeDisabled();
  await hold(1);
  await expect(button(page, 'Add to basket')).toBeEnabled({ timeout: 2_000 });
});

test('what one tab does to the basket or the session is seen in the others', async ({ page, context }) => {
  await signUp(page, freshEmail());
  await visit(page, '/cart');
  await arriveAt(page, 'Your basket');
  const other = await context.newPage();
  const name = await addOne(other, SHOPS[0], 1);
  await expect(cartLink(page, 1)).toBeVisible();
  await expect(main(page).getByRole('link', { name })).toBeVisible();
  await setQuantity(page, name, '2');
  await expect(cartLink(other, 2)).toBeVisible();
  await signOut(other);
  await expect(page.getByRole('link', { name: 'Sign in' }).first()).toBeVisible();
});

test('when the market says that the session has ended, the page shows it and opens no other socket', async ({ page }) => {
  let opened = 0;
  let end = (): Promise<void> => Promise.resolve();
  await page.routeWebSocket('**/live', (socket) => {
    opened += 1;
    socket.connectToServer();
    end = () => socket.close({ code: 4401 });
  });
  await signUp(page, freshEmail());
  await visit(page, '/cart');
  const before = opened;
  await expect.poll(() => opened).toBe(before + 1);
  await page.context().clearCookies({ name: /session/ });
  await end();
  await expect(page.getByRole('link', { name: 'Sign in' }).first()).toBeVisible();
  // Sockets that break are opened again after two seconds.
  await page.waitForTimeout(2_500);
  expect(opened).toBe(before + 1);
});
