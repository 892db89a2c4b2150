// Screenshots of every page, narrow and wide, light and dark, in screens/: with typical content, in rare states, and some in
// intermediate widths and in Hindi.
import { join } from 'node:path';

import { type Page, expect, test } from './fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  choose,
  everyAdminPage,
  everyPage,
  field,
  fillAddress,
  fillCart,
  freshEmail,
  main,
  openProduct,
  operate,
  payByCard,
  payInCash,
  refused,
  shopName,
  signIn,
  signOut,
  signUp,
  thanks,
  visit,
  withoutBrowserChecks,
} from './helpers';
import { Market } from './server';

const folder = join(import.meta.dirname, '..', 'screens');
const dashboard = `/seller/${SHOPS[0]}`;

/** Shows the page at each width, in light and dark mode. */
async function everyLook(page: Page, look: (label: string) => Promise<void>): Promise<void> {
  for (const [width, height] of [[390, 844], [1280, 900]] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await look(`${width}-${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** Takes numbered screenshots of a page in every combination. */
function camera(page: Page, series: string): (name: string) => Promise<void> {
  let count = 0;
  return async (name) => {
    count += 1;
    const place = `${series}${String(count).padStart(2, '0')}-${name}`;
    await everyLook(page, async (look) => {
      await page.screenshot({ path: join(folder, `${place}-${look}.png`), fullPage: true });
    });
  };
}

/** Buys something from the first shop; returns the purchase's path and the order number. */
async function buy(page: Page, way: 'card' | 'cash'): Promise<{ path: string; order: string }> {
  const shop = await shopName(page, SHOPS[0]);
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  if (way === 'card') await payByCard(page, 'approve');
  else await payInCash(page);
  const bought = await thanks(page, [shop]);
  return { path: new URL(page.url()).pathname, order: bought.orders[0]!.number };
}

test('every page', async ({ page, market }) => {
  const take = camera(page, '');
  await everyPage(page, take);
  await visit(page, '/');
  await signOut(page);
  await operate(market, page);
  await everyAdminPage(page, take);
});

test('what became of orders', async ({ page, visitor, problems }) => {
  // Emails run no scripts.
  problems.allow(/Blocked script execution/);
  const [take, seller] = [camera(page, 'a'), await visitor()];
  const takeSeller = camera(seller, 'b');
  const [sent, cancelled] = [await buy(page, 'cash'), await buy(page, 'card')];
  await signIn(seller, SELLERS[SHOPS[0]]);
  await visit(seller, `${dashboard}/orders/${sent.order}`);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await field(seller, 'Tracking link (optional)').fill('track.example');
  await button(seller, 'Mark as shipped').click();
  await refused(field(seller, 'Carrier'));
  await awake(seller);
  await takeSeller('seller-order-refused');
  await field(seller, 'Carrier').fill('Blue Dart');
  await field(seller, 'Tracking number').fill('BD-77');
  await field(seller, 'Tracking link (optional)').fill('https://track.example/BD-77');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await awake(seller);
  await takeSeller('seller-order-sent');
  await visit(seller, `${dashboard}/orders/${cancelled.order}`);
  await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
  await takeSeller('seller-order-cancel');
  await field(seller, 'Reason').fill('The glaze has cracked');
  await button(seller, 'Cancel order').click();
  await expect(main(seller)).toContainText('This order was cancelled');
  await awake(seller);
  await takeSeller('seller-order-cancelled');
  for (const [name, { path }] of Object.entries({ sent, cancelled })) {
    await visit(page, path);
    await take(`purchase-${name}`);
  }
  // The emails, once all have been sent.
  const subjects = ['Thank you for your order', 'New order', 'has shipped', 'has been cancelled'];
  await expect(async () => {
    await page.goto('/dev/mail');
    for (const words of subjects) {
      await expect(page.getByRole('link').filter({ hasText: words }).first()).toBeVisible({ timeout: 100 });
    }
  }).toPass();
  await take('mails');
  const links = subjects.map((words) => page.getByRole('link').filter({ hasText: words }).first().getAttribute('href'));
  for (const [index, path] of (await Promise.all(links)).entries()) {
    await page.goto(path ?? '');
    if (index === 0) await take('mail');
    await page.goto(`${path}/html`);
    await take(`mail-${subjects[index]!.replaceAll(' ', '-')}`);
  }
});

test('the dashboard of a shop that has just been opened', async ({ page }) => {
  const take = camera(page, 'c');
  await signUp(page, freshEmail());
  await visit(page, '/seller');
  await take('seller-shops-none');
  await visit(page, '/seller/new');
  await field(page, 'Shop name').fill('Lake & Loom');
  await field(page, 'Handle').fill('admin');
  await button(page, 'Open a shop').click();
  await refused(field(page, 'Handle'));
  await take('seller-open-refused');
  await field(page, 'Handle').fill('lake-loom');
  await field(page, 'Town or city').fill('Pune');
  await field(page, 'Shipping price (INR)').fill('49');
  await button(page, 'Open a shop').click();
  await arriveAt(page, 'Dashboard');
  await take('seller-home-new');
  for (const part of ['orders', 'products', 'balance']) {
    await visit(page, `/seller/lake-loom/${part}`);
    await take(`seller-${part}-new`);
  }
  await visit(page, '/seller/lake-loom/products/new');
  await button(page, 'Add option').click();
  await field(page, 'Option name').fill('Colour');
  await field(page, 'Option values').fill('Red, Blue');
  await field(page, 'Option values').press('Enter');
  await button(page, 'Add specification').click();
  await button(page, 'Save as draft').click();
  await refused(field(page, 'Title'));
  await take('seller-product-refused');
  // The page asks before unsaved changes are lost; here this is intended.
  page.once('dialog', (dialog) => dialog.accept());
  await visit(page, '/seller/lake-loom/products/import');
  const table = ['sku,title,price,stock', 'A-1,Blue scarf,450,5', 'A-2,,450,5', 'A-3,Red scarf,cheap,5'].join('\n');
  await field(page, 'File').setInputFiles({ name: 'scarves.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  await button(page, 'Check file').click();
  await expect(main(page)).toContainText('can be imported');
  await awake(page);
  await take('seller-import-checked');
  await button(page, 'Import 1 valid product').click();
  await expect(main(page).getByRole('alert')).toContainText('Import complete');
  await awake(page);
  await take('seller-import-done');
  await visit(page, '/shops/lake-loom');
  await take('shop-new');
  await visit(page, '/seller/lake-loom/settings');
  await field(page, 'Town or city').fill('');
  await button(page, 'Save').click();
  await refused(field(page, 'Town or city'));
  await take('seller-settings-refused');
});

test('when something is wrong', async ({ page, context, problems, database }) => {
  problems.allow(/ERR_INTERNET_DISCONNECTED|50[03]|status of 4/);
  const take = camera(page, 'd');
  await openProduct(page, SHOPS[0]);
  await context.setOffline(true);
  await expect(page.getByText('You are offline.', { exact: false })).toBeVisible();
  await button(page, 'Add to basket').click();
  await expect(main(page).getByRole('alert')).toBeVisible();
  await take('offline');
  await context.setOffline(false);
  await visit(page, '/dev/mail/none');
  await take('nothing-here');
  await visit(page, '/account');
  await take('sign-in-needed');
  await visit(page, '/sign-in');
  await withoutBrowserChecks(page);
  await field(page, 'Email').fill('asha@example.com');
  await field(page, 'Password').fill('something-else');
  await button(page, 'Sign in').click();
  await expect(main(page).getByRole('alert')).toBeVisible();
  await take('sign-in-refused');
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payByCard(page, 'decline');
  await expect(main(page).getByRole('alert').first()).toBeVisible();
  await awake(page);
  await take('declined');
  const closed = await Market.open(database, { HAAT__SERVER__MAINTENANCE: 'true' }, false);
  try {
    await page.goto(closed.url);
    await take('maintenance');
  } finally {
    await closed.close();
  }
});

test('between the widths, and in Hindi', async ({ page, market }) => {
  const take = async (name: string, look: string) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.screenshot({ path: join(folder, `e-${name}-${look}.png`), fullPage: true });
  };
  const goods = { home: '/', products: '/products', category: '/c/crafts', shops: '/shops', shop: `/shops/${SHOPS[0]}` };
  const work = {
    'seller-home': dashboard,
    'seller-orders': `${dashboard}/orders`,
    'seller-products': `${dashboard}/products`,
    'seller-product-new': `${dashboard}/products/new`,
    'seller-import': `${dashboard}/products/import`,
    'seller-balance': `${dashboard}/balance`,
    'seller-settings': `${dashboard}/settings`,
  };
  const admin = { 'admin-home': '/admin', 'admin-orders': '/admin/orders', 'admin-jobs': '/admin/jobs', 'admin-notifications': '/admin/notifications' };
  const each = async (pages: Record<string, string>, look: string) => {
    for (const [name, path] of Object.entries(pages)) {
      await visit(page, path);
      await take(name, look);
    }
  };
  await page.setViewportSize({ width: 768, height: 1024 });
  await each(goods, '768');
  await fillCart(page);
  await take('product', '768');
  await visit(page, '/cart');
  await take('cart', '768');
  await beginCheckout(page);
  await take('checkout', '768');
  await fillAddress(page);
  await choose(page, 'cash');
  await payInCash(page);
  await thanks(page, []);
  await take('purchase', '768');
  const bought = new URL(page.url()).pathname;
  await signIn(page, SELLERS[SHOPS[0]]);
  await each(work, '768');
  await main(page).getByRole('button', { name: 'Save' }).waitFor();
  await visit(page, `${dashboard}/orders`);
  await main(page).locator('tbody a').first().click();
  await arriveAt(page, /^Order H/);
  await take('seller-order', '768');
  const order = new URL(page.url()).pathname;
  await visit(page, '/');
  await signOut(page);
  await operate(market, page);
  await each(admin, '768');
  await signOut(page);

  await page.setViewportSize({ width: 390, height: 844 });
  const thing = await openProduct(page, SHOPS[0]).then(() => new URL(page.url()).pathname);
  await addOne(page, SHOPS[0], 1);
  const checkout = await beginCheckout(page);
  await visit(page, '/');
  await page.getByRole('button', { name: 'हिन्दी' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'hi');
  await each({ ...goods, product: thing, cart: '/cart', checkout, purchase: bought, 'sign-in': '/sign-in', missing: '/no-such-page' }, 'hi');
  await page.locator('input[name=email]').waitFor({ state: 'detached' }).catch(() => {});
  await visit(page, '/sign-in');
  await page.locator('input[name=email]').fill(SELLERS[SHOPS[0]]);
  await page.locator('input[name=password]').fill('market-day-2026');
  await main(page).getByRole('button').click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  await awake(page);
  await each({ ...work, 'seller-order': order, account: '/account' }, 'hi');
});
