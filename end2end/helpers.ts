// Actions of shoppers and sellers, in their own terms. Elements are found by what a user sees or hears.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type axeCore from 'axe-core';
import type { Locator } from '@playwright/test';

import { type Page, expect, runsScripts } from './fixtures';
import type { Market } from './server';

export const SHOPS = ['meena-crafts', 'delta-electronics'] as const;
export type ShopHandle = (typeof SHOPS)[number];

export const SELLERS: Record<ShopHandle, string> = {
  'meena-crafts': 'meena@haat.example',
  'delta-electronics': 'delta@haat.example',
};
export const PASSWORD = 'market-day-2026';

export const CARDS = {
  approve: '4242 4242 4242 4242',
  decline: '4000 0000 0000 0002',
  challenge: '4000 0025 0000 3155',
  webhookLate: '4000 0000 0000 0077',
  webhookTwice: '4000 0000 0000 0093',
  webhookNever: '4000 0000 0000 0101',
} as const;

/** The checkout's fields, by label. */
export const ADDRESS: Record<string, string> = {
  Email: 'asha@example.com',
  'Full name': 'Asha Rao',
  'Street address': '12 Lake Road',
  'Flat, floor or landmark (optional)': 'Second floor',
  'Town or city': 'Pune',
  'PIN code': '411001',
  'Phone (optional)': '+91 20 5550 1234',
};
export const COUNTRY = 'India';
export const STATE = 'Maharashtra';

export const main = (page: Page): Locator => page.getByRole('main');
export const title = (page: Page, name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name });
export const field = (page: Page, label: string): Locator => main(page).getByLabel(label, { exact: true });
export const button = (page: Page, name: string | RegExp): Locator =>
  main(page).getByRole('button', { name, exact: typeof name === 'string' });

/** Waits until a page with JavaScript is hydrated, which it reports itself. */
export async function awake(page: Page): Promise<void> {
  if (!runsScripts(page) || (await page.locator('script[type=module]').count()) === 0) return;
  await page.locator('html[data-live]').waitFor({ state: 'attached' });
}

export async function visit(page: Page, path: string): Promise<number> {
  const response = await page.goto(path);
  await awake(page);
  return response?.status() ?? 0;
}

export async function arriveAt(page: Page, name: string | RegExp): Promise<void> {
  await expect(title(page, name)).toBeVisible();
  await awake(page);
}

// --- The basket -------------------------------------------------------------------------------------------------------

export const cartLink = (page: Page, count?: number): Locator =>
  page
    .getByRole('banner')
    .getByRole('link', { name: count === undefined ? /^Basket, \d+ items?$/ : cartName(count), exact: true });

const cartName = (count: number): string => (count === 1 ? 'Basket, 1 item' : `Basket, ${count} items`);

export const productLinks = (page: Page): Locator => main(page).locator('li a[href^="/p/"]');

/** Opens the shop's product at `index` and returns its title. */
export async function openProduct(page: Page, shop: string, index = 0): Promise<string> {
  await visit(page, `/shops/${shop}`);
  const href = await productLinks(page).nth(index).getAttribute('href');
  await visit(page, href ?? 'no product');
  return (await page.getByRole('heading', { level: 1 }).innerText()).trim();
}

/** Adds one item, after which the basket holds `count`; returns its title. */
export async function addOne(page: Page, shop: string, count: number, index = 0): Promise<string> {
  const product = await openProduct(page, shop, index);
  await button(page, 'Add to basket').click();
  await expect(cartLink(page, count)).toBeVisible();
  return product;
}

export const quantityOf = (page: Page, product: string): Locator => field(page, `Quantity of ${product}`);

/** Changes the quantity of a line: it is saved by itself with JavaScript, and with a button without. */
export async function setQuantity(page: Page, product: string, quantity: string): Promise<void> {
  await quantityOf(page, product).fill(quantity);
  if (!runsScripts(page)) await button(page, `Update ${product}`).click();
}

/** Adds an item from each shop; returns their titles by shop. */
export async function fillCart(page: Page): Promise<Record<ShopHandle, string>> {
  return {
    'meena-crafts': await addOne(page, 'meena-crafts', 1),
    'delta-electronics': await addOne(page, 'delta-electronics', 2),
  };
}

export async function cartHolds(page: Page, products: string[]): Promise<void> {
  await visit(page, '/cart');
  for (const product of products) await expect(quantityOf(page, product)).toBeVisible();
  await expect(main(page).getByLabel(/^Quantity of /)).toHaveCount(products.length);
}

// --- The checkout -----------------------------------------------------------------------------------------------------

/** Goes from the basket to checkout; returns the checkout's URL. */
export async function beginCheckout(page: Page): Promise<string> {
  await visit(page, '/cart');
  await button(page, 'Go to checkout').click();
  await arriveAt(page, 'Checkout');
  return new URL(page.url()).pathname;
}

export async function fillAddress(page: Page, changes: Record<string, string> = {}): Promise<void> {
  // The last address of customers who have bought before is folded.
  const folded = main(page).locator('details.known-address:not([open]) > summary');
  if ((await folded.count()) > 0) await folded.click();
  for (const [label, value] of Object.entries({ ...ADDRESS, ...changes })) await field(page, label).fill(value);
  await field(page, 'Country').selectOption({ label: COUNTRY });
  await field(page, 'State (optional)').selectOption({ label: STATE });
}

export async function addressIsFilledIn(page: Page, changes: Record<string, string> = {}): Promise<void> {
  for (const [label, value] of Object.entries({ ...ADDRESS, ...changes })) {
    await expect(field(page, label)).toHaveValue(value);
  }
  await expect(field(page, 'Country').locator('option:checked')).toHaveText(COUNTRY);
  await expect(field(page, 'State (optional)').locator('option:checked')).toHaveText(STATE);
}

export const PAY = /^(Place order ·|Pay) [₹$€]/;
/** The first of two on wide screens: one is at the end of the form, one beside it. */
export const payButton = (page: Page): Locator => button(page, PAY).first();

export async function choose(page: Page, method: 'card' | 'cash'): Promise<void> {
  const name = method === 'card' ? 'Test card (no real money)' : 'Cash on delivery';
  await main(page).getByRole('radio', { name }).check();
}

/** Pays at checkout with a sandbox card, up to the page where the gateway sends the shopper. */
export async function payByCard(page: Page, card: keyof typeof CARDS): Promise<void> {
  const market = new URL(page.url()).hostname;
  await choose(page, 'card');
  await payButton(page).click();
  await payAtSandbox(page, card);
  await page.waitForURL((url) => url.hostname === market);
}

/** Fills in the gateway's own pages, which are on another host. */
export async function payAtSandbox(page: Page, card: keyof typeof CARDS): Promise<void> {
  await arriveAt(page, 'Sandbox payment');
  expect(new URL(page.url()).hostname).toBe('127.0.0.1');
  await page.getByLabel('Card number', { exact: true }).fill(CARDS[card]);
  await page.getByRole('button', { name: /^Pay/ }).click();
  if (card === 'challenge') {
    await arriveAt(page, 'Confirm it’s you');
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  }
}

export async function payInCash(page: Page): Promise<void> {
  await choose(page, 'cash');
  await payButton(page).click();
}

export type Bought = { path: string; number: string; orders: { shop: string; number: string; text: string }[] };

/** Reads the confirmation: the purchase, and one order for each of the given shops. */
export async function thanks(page: Page, shops: string[]): Promise<Bought> {
  await arriveAt(page, 'Thank you for your order');
  const path = new URL(page.url()).pathname;
  const number = decodeURIComponent(path.split('/').at(-1) ?? '');
  expect(path).toMatch(/^\/purchases\/H/);
  await expect(main(page)).toContainText(number);
  const orders = [];
  for (const shop of shops) {
    const section = main(page).locator('section').filter({ hasText: `${number}-` }).filter({ hasText: shop });
    // The innermost section, since sections may be nested.
    const text = await section.last().innerText();
    const own = text.match(/H[0-9A-Z-]*-\d+\b/)?.[0] ?? '';
    expect(own, `the number of the order from ${shop}`).toMatch(new RegExp(`^${number}-\\d+$`));
    orders.push({ shop, number: own, text });
  }
  expect(new Set(orders.map((order) => order.number)).size, 'one order a shop').toBe(shops.length);
  return { path, number, orders };
}

/** On the confirmation, the customer cancels an order that was paid, and the gateway refunds it. */
export async function cancelAndBeRefunded(page: Page, number: string, words?: string): Promise<void> {
  const order = () => main(page).locator('section.order').filter({ hasText: number });
  const total = (await order().locator('.sums-total dd').innerText()).trim();
  await order().locator('summary', { hasText: 'Cancel order' }).click();
  await order().getByRole('button', { name: 'Cancel this order' }).click();
  await expect(main(page).getByRole('alert')).toContainText(`Order ${number} has been cancelled.`);
  const { pathname, search } = new URL(page.url());
  await expect(async () => {
    await visit(page, pathname + search);
    await expect(order()).toContainText(words ?? `We’ve refunded ${total} to your original payment method.`, { timeout: 100 });
  }).toPass();
}

/** A seller confirms an order, ships it and marks it as delivered. */
export async function deliver(seller: Page, shop: string, order: string): Promise<void> {
  await visit(seller, `/seller/${shop}/orders/${order}`);
  await button(seller, 'Confirm order').click();
  await expect(button(seller, 'Mark as shipped')).toBeVisible();
  await awake(seller);
  await field(seller, 'Carrier').first().fill('Blue Dart');
  await field(seller, 'Tracking number').first().fill('BD-77');
  await button(seller, 'Mark as shipped').click();
  await expect(button(seller, 'Mark as delivered')).toBeVisible();
  await awake(seller);
  await button(seller, 'Mark as delivered').click();
  await expect(main(seller)).toContainText('Order marked as delivered.');
  await awake(seller);
}

/** The text of the newest email with a subject. */
export async function email(page: Page, subject: string): Promise<string> {
  const get = async (path: string) => (await page.request.get(new URL(path, page.url()).href)).text();
  let found: string | undefined;
  await expect(async () => {
    const mails = (await get('/dev/mail')).matchAll(/href="(\/dev\/mail\/[^"]+)"><b>([^<]*)<\/b>/g);
    found = [...mails].find(([, , title]) => title!.includes(subject))?.[1];
    expect(found, subject).toBeDefined();
  }).toPass();
  return get(`${found}/html`);
}

/** The shop's name. */
export async function shopName(page: Page, shop: string): Promise<string> {
  await visit(page, `/shops/${shop}`);
  return (await page.getByRole('heading', { level: 1 }).innerText()).trim();
}

// --- Accounts ---------------------------------------------------------------------------------------------------------

export const freshEmail = (): string => `shopper-${randomBytes(6).toString('hex')}@example.com`;

export async function signUp(page: Page, email: string): Promise<void> {
  await visit(page, '/sign-up');
  await field(page, 'Name').fill('Asha Rao');
  await field(page, 'Email').fill(email);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Create account').click();
  await expect(signOutButton(page)).toBeVisible();
  await awake(page);
}

/** Signs in and returns to the home page, where the storefront's header is. */
export async function signIn(page: Page, email: string): Promise<void> {
  await visit(page, '/sign-in?next=%2F');
  await field(page, 'Email').fill(email);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await expect(signOutButton(page)).toBeVisible();
  await awake(page);
}

export const signOutButton = (page: Page): Locator => page.getByRole('button', { name: 'Sign out', exact: true });

/** The account menu of the back office. */
export const accountMenu = (page: Page): Locator => page.locator('details', { has: page.locator('form[action="/sign-out"]') });

export async function signOut(page: Page): Promise<void> {
  if ((await accountMenu(page).count()) > 0) await accountMenu(page).locator('summary').click();
  await signOutButton(page).click();
  await expect(signOutButton(page)).toHaveCount(0);
  await awake(page);
}

/** Creates an operator account and signs it in; returns its email address. */
export async function operate(market: Market, page: Page): Promise<string> {
  const email = `operator-${randomBytes(6).toString('hex')}@example.com`;
  await market.run('admin', 'create', '--email', email, '--name', 'Olga Nair');
  await signIn(page, email);
  return email;
}

/** Removes the only saved card of an account, on its page. */
export async function removeCard(page: Page): Promise<void> {
  await arriveAt(page, 'Saved cards');
  await awake(page);
  await main(page).getByText(/^Remove Visa ending in 4242$/).click();
  await button(page, 'Remove card').click();
  await expect(main(page)).toContainText('Card removed.');
  await expect(main(page)).toContainText('No saved cards');
}

// --- Forms ------------------------------------------------------------------------------------------------------------

/** Disables the browser's form validation, so that the server's response is seen. */
export async function withoutBrowserChecks(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const form of document.forms) form.noValidate = true;
    for (const input of document.querySelectorAll<HTMLInputElement>('input[type=number], input[type=email]')) {
      input.type = 'text';
    }
    for (const input of document.querySelectorAll('input')) input.removeAttribute('maxlength');
  });
}

/** The field is marked as invalid and shows an error. */
export async function refused(input: Locator): Promise<void> {
  await expect(input).toHaveAttribute('aria-invalid', 'true');
  await expect
    .poll(() =>
      input.evaluate((element) =>
        ['aria-errormessage', 'aria-describedby']
          .flatMap((name) => (element.getAttribute(name) ?? '').split(/\s+/))
          .map((id) => (id ? (document.getElementById(id)?.textContent ?? '') : ''))
          .join('')
          .trim(),
      ),
    )
    .not.toBe('');
}

/** Presses Tab until `target` has the focus. */
export async function tabTo(page: Page, target: Locator, most = 200): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < most; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${target} is not reached by Tab`);
}

// --- Every page -------------------------------------------------------------------------------------------------------

export const WIDTHS = [390, 1280] as const;
export const SCHEMES = ['light', 'dark'] as const;

/** Shows the page narrow and dark, then wide and light, to cover each width and each colour scheme once. */
export async function looks(page: Page, look: (label: string) => Promise<void>): Promise<void> {
  for (const [width, height, colorScheme] of [[390, 844, 'dark'], [1280, 900, 'light']] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await look(`${width}-${colorScheme}`);
  }
}

/** Visits every page in the order of a typical day at the market, and calls `stop` on each. */
export async function everyPage(page: Page, stop: (name: string) => Promise<void>): Promise<void> {
  const at = async (path: string, name: string, status = 200) => {
    expect(await visit(page, path), path).toBe(status);
    await stop(name);
  };
  await at('/', 'home');
  await at('/products', 'products');
  await at('/products?q=no-such-thing-anywhere', 'products-none');
  await at('/c/crafts', 'category');
  await at('/shops', 'shops');
  await at(`/shops/${SHOPS[0]}`, 'shop');
  await openProduct(page, SHOPS[0]);
  await stop('product');
  await at('/no-such-page', 'not-found', 404);
  await at('/cart', 'cart-empty');
  await at('/forgot-password', 'forgot-password');
  await at('/sign-in/code', 'sign-in-code');
  await at('/sign-in/code?step=enter', 'sign-in-code-enter');
  await at('/privacy', 'privacy');
  await at('/contact', 'contact');
  await at('/wishlist', 'wishlist-empty');
  await at('/sign-in', 'sign-in');
  await at('/sign-up', 'sign-up');
  await withoutBrowserChecks(page);
  await field(page, 'Email').fill('not an address');
  await button(page, 'Create account').click();
  await refused(field(page, 'Email'));
  await stop('sign-up-refused');
  await fillCart(page);
  await at('/cart', 'cart');
  await beginCheckout(page);
  await stop('checkout');
  await withoutBrowserChecks(page);
  await choose(page, 'cash');
  await payButton(page).click();
  await refused(field(page, 'Email'));
  await stop('checkout-refused');
  await fillAddress(page);
  await choose(page, 'card');
  await payButton(page).click();
  await arriveAt(page, 'Sandbox payment');
  await stop('sandbox');
  await page.getByLabel('Card number', { exact: true }).fill(CARDS.challenge);
  await page.getByRole('button', { name: /^Pay/ }).click();
  await arriveAt(page, 'Confirm it’s you');
  await stop('sandbox-challenge');
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await arriveAt(page, 'Thank you for your order');
  await stop('purchase');
  await signUp(page, freshEmail());
  await at('/account', 'account-empty');
  await at('/account/cards', 'cards-off');
  await at('/account/appointments', 'appointments-none');
  await at('/services', 'services-none');
  await at('/events', 'events');
  await at('/account/profile', 'profile');
  await at('/account/addresses', 'addresses');
  await at('/account/data', 'personal-data');
  await at('/gift-card', 'gift-card');
  await at('/gift-cards', 'gift-cards');
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await at('/account', 'account');
  await at('/notifications', 'notifications');
  await at('/notifications/settings', 'notification-settings');
  await at('/messages', 'messages-none');
  await visit(page, `/shops/${SHOPS[0]}`);
  await button(page, 'Message the shop').click();
  await awake(page);
  await field(page, 'Write a message').fill('Do you ship abroad?');
  await button(page, 'Send').click();
  await expect(main(page).locator('.message:not(.waiting)')).toContainText('Do you ship abroad?');
  await stop('conversation');
  await at(`${new URL(page.url()).pathname}?report=conversation`, 'conversation-report');
  await signOut(page);
  await signIn(page, SELLERS[SHOPS[0]]);
  const dashboard = `/seller/${SHOPS[0]}`;
  await at('/seller', 'seller-shops');
  await at('/seller/new', 'seller-open');
  await at(dashboard, 'seller-home');
  await at(`${dashboard}/orders`, 'seller-orders');
  await at(`${dashboard}/orders?q=no-such-order`, 'seller-orders-none');
  await at(`${dashboard}/orders`, 'seller-orders');
  await main(page).locator('tbody a').first().click();
  await arriveAt(page, /^Order H/);
  await stop('seller-order');
  await main(page).getByRole('link', { name: 'Packing slip' }).click();
  await arriveAt(page, /^Packing slip for order H/);
  await stop('seller-slip');
  const order = new URL(page.url()).pathname.split('/')[4];
  await at(`${dashboard}/packing-slips?id=${order}`, 'seller-slips');
  await at(`${dashboard}/messages`, 'seller-messages');
  await at(`${dashboard}/reviews`, 'seller-reviews');
  await at(`${dashboard}/analytics`, 'seller-analytics');
  await at(`${dashboard}/products`, 'seller-products');
  await main(page).locator('tbody a').first().click();
  await expect(button(page, 'Duplicate')).toBeVisible();
  await awake(page);
  await stop('seller-product');
  const product = new URL(page.url()).pathname;
  await at(`${product}/sales`, 'seller-sales');
  await at(`${product}/prices`, 'seller-prices');
  await at(`${dashboard}/products/new`, 'seller-product-new');
  await at(`${dashboard}/products/import`, 'seller-import');
  await at(`${dashboard}/promotions`, 'seller-promotions');
  await at(`${dashboard}/promotions?edit=new`, 'seller-promotion-new');
  await at(`${dashboard}/services`, 'seller-services');
  await at(`${dashboard}/services?edit=provider`, 'seller-provider-new');
  await at(`${dashboard}/services?edit=service`, 'seller-service-new');
  await at(`${dashboard}/events`, 'seller-events');
  await field(page, 'Title').fill('Festival of clay');
  await field(page, 'Starts (optional)').fill(`${new Date().getFullYear() + 1}-12-01T10:00`);
  await field(page, 'Ends').fill(`${new Date().getFullYear() + 1}-12-03T10:00`);
  await button(page, 'Create an event').click();
  await arriveAt(page, 'Festival of clay');
  await stop('seller-event');
  await button(page, 'Choose').click();
  await arriveAt(page, 'Festival of clay');
  await stop('seller-event-add');
  await at(`${dashboard}/shipping`, 'seller-shipping');
  await at(`${dashboard}/shipping?edit=new`, 'seller-zone-new');
  await at(`${dashboard}/balance`, 'seller-balance');
  await at(`${dashboard}/settings`, 'seller-settings');
  await at(`${dashboard}/team`, 'seller-team');
  await field(page, 'Email').fill(freshEmail());
  await button(page, 'Send invitation').click();
  await expect(main(page)).toContainText('Invitation sent.');
  await awake(page);
  await stop('seller-team-invited');
  const invitation = (await email(page, 'Invitation to join')).match(/\/invitations\/[^"]+/)![0].replaceAll('&amp;', '&');
  await at(invitation, 'invitation');
  await at('/dev/ui', 'ui');
}

/** Visits every page of the admin area, as an operator. */
export async function everyAdminPage(page: Page, stop: (name: string) => Promise<void>): Promise<void> {
  const at = async (path: string, name: string) => {
    expect(await visit(page, path), path).toBe(200);
    await stop(name);
  };
  await at('/admin', 'admin-home');
  await at('/admin/orders', 'admin-orders');
  const order = main(page).locator('tbody .row-link').first();
  if ((await order.count()) > 0) {
    await order.click();
    await arriveAt(page, /^Order H/);
    await awake(page);
    await stop('admin-order');
  }
  await at('/admin/orders?q=no-such-order', 'admin-orders-none');
  await at('/admin/ledger', 'admin-ledger');
  await at('/admin/payments', 'admin-payments');
  const payment = main(page).locator('tbody .row-link').first();
  if ((await payment.count()) > 0) {
    await payment.click();
    await expect(main(page).getByRole('link', { name: 'All payments' })).toBeVisible();
    await awake(page);
    await stop('admin-payment');
  }
  await at('/admin/shops', 'admin-shops');
  await at(`/admin/shops/${SHOPS[0]}`, 'admin-shop');
  await at('/admin/commission', 'admin-commission');
  await at('/admin/categories', 'admin-categories');
  await at('/admin/categories?edit=tableware', 'admin-category');
  await at('/admin/categories?edit=new.', 'admin-category-new');
  await at('/admin/promotions', 'admin-promotions');
  await at('/admin/promotions?edit=new', 'admin-promotion-new');
  await at('/admin/announcements', 'admin-announcements');
  await at('/admin/announcements?edit=new', 'admin-announcement');
  await at('/admin/taxes', 'admin-taxes');
  await at('/admin/currencies', 'admin-currencies');
  await at('/admin/gift-cards', 'admin-gift-cards');
  await at('/admin/payouts', 'admin-payouts');
  const payout = main(page).locator('tbody .row-link').first();
  if ((await payout.count()) > 0) {
    await payout.click();
    await arriveAt(page, /^Payout of /);
    await awake(page);
    await stop('admin-payout');
  }
  await at('/admin/reports', 'admin-reports');
  await at('/admin/reviews', 'admin-reviews');
  await at('/admin/analytics', 'admin-analytics');
  await at('/admin/search', 'admin-search');
  await at('/admin/contact', 'admin-contact');
  await at('/admin/users', 'admin-users');
  await main(page).locator('tbody .row-link').first().click();
  await expect(main(page).getByRole('link', { name: 'All users' })).toBeVisible();
  await awake(page);
  await stop('admin-user');
  await at('/admin/jobs', 'admin-jobs');
  await at('/admin/outbox', 'admin-outbox');
  await at('/admin/notifications?channel=email&state=sent', 'admin-notifications');
  const mail = main(page).locator('tbody a').first();
  if ((await mail.count()) > 0) {
    await mail.click();
    await expect(main(page).locator('pre')).toBeVisible();
    await awake(page);
    await stop('admin-notification');
  }
  await at('/admin/audit', 'admin-audit');
  await at('/admin/team', 'admin-team');
}

// --- axe --------------------------------------------------------------------------------------------------------------

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

declare const axe: typeof axeCore;

/**
 * Fails on whatever axe finds, its best practices included. Evaluated code is exempt from the content security policy. With
 * JavaScript disabled, axe's own timers wouldn't run either, so JavaScript is enabled while axe runs; the page's own scripts
 * were skipped when it loaded and don't start any more.
 */
export async function audit(page: Page): Promise<void> {
  const session = runsScripts(page) ? undefined : await page.context().newCDPSession(page);
  // A session only registers a change of a value that it has set itself, hence the two calls.
  await session?.send('Emulation.setScriptExecutionDisabled', { value: true });
  await session?.send('Emulation.setScriptExecutionDisabled', { value: false });
  try {
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      // The page of all components shows some of them in several states, and so several times.
      const rules: axeCore.RuleObject = location.pathname === '/dev/ui' ? { 'landmark-unique': { enabled: false } } : {};
      const { violations } = await axe.run(document, { resultTypes: ['violations'], rules });
      return violations.map(({ id, impact, nodes }) => ({
        rule: `${id} (${impact})`,
        where: nodes.slice(0, 5).map((node) => `${node.target.join(' ')}: ${node.failureSummary}`),
      }));
    });
    expect.soft(found, `axe at ${page.url()}`).toEqual([]);
  } finally {
    await session?.send('Emulation.setScriptExecutionDisabled', { value: true });
    await session?.detach();
  }
}
