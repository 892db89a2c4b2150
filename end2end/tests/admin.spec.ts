// The operators' admin area, with and without JavaScript.
import { type Page, expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  freshEmail,
  main,
  operate,
  payByCard,
  shopName,
  signIn,
  signUp,
  thanks,
  visit,
} from '../helpers';

const SHOP = SHOPS[0];

const PARTS = {
  Orders: '/admin/orders',
  Payments: '/admin/payments',
  Ledger: '/admin/ledger',
  Shops: '/admin/shops',
  Payouts: '/admin/payouts',
  Users: '/admin/users',
  Jobs: '/admin/jobs',
  Outbox: '/admin/outbox',
  Announcements: '/admin/announcements',
  Notifications: '/admin/notifications',
  'Audit log': '/admin/audit',
  Team: '/admin/team',
} as const;

/** Buys one item from the shop by card; returns the order number. */
async function buy(page: Page): Promise<string> {
  const name = await shopName(page, SHOP);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payByCard(page, 'approve');
  return (await thanks(page, [name])).orders[0]!.number;
}

const rows = (page: Page, text: string) => main(page).locator('tbody tr').filter({ hasText: text });

/** The navigation of the admin area. */
const go = async (page: Page, part: string) => {
  await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: part, exact: true }).click();
  await arriveAt(page, part);
};

test('failed jobs are retried and discarded, and the audit log shows who did it', async ({ page, visitor, market }) => {
  const [seller, operator] = [await visitor(), await visitor()];
  const order = await buy(page);
  await signIn(seller, SELLERS[SHOP]);
  const email = await operate(market, operator);
  // Without its gateway, the refund can't be made. No page is loading while the server is down.
  for (const each of [page, seller, operator]) await each.goto('about:blank');
  await market.restart({ HAAT__PAYMENTS__SANDBOX: 'false' });
  try {
    await visit(seller, `/seller/${SHOP}/orders/${order}`);
    await main(seller).locator('summary', { hasText: 'Cancel order' }).click();
    await field(seller, 'Reason').fill('The glaze has cracked');
    await button(seller, 'Cancel order').click();
    await expect(main(seller)).toContainText('This order was cancelled');

    await visit(operator, '/');
    await operator.getByRole('banner').getByRole('link', { name: 'Admin', exact: true }).click();
    await arriveAt(operator, 'Dashboard');
    await go(operator, 'Jobs');
    const refund = rows(operator, 'Refund');
    const failed = () =>
      expect(async () => {
        expect(await visit(operator, '/admin/jobs?state=queued')).toBe(200);
        await expect(refund.locator('.why')).toBeVisible({ timeout: 100 });
      }).toPass();
    await failed();
    // It may be running again at the moment.
    await expect(async () => {
      await refund.getByRole('button', { name: 'Try again' }).click();
      await expect(main(operator).getByRole('alert')).toContainText('The job has been queued again.', { timeout: 3000 });
    }).toPass();
    await awake(operator);
    expect(new URL(operator.url()).searchParams.get('state')).toBe('queued');
    // A job can't be discarded while it runs, as it may after “Try again”.
    await expect(async () => {
      await failed();
      await refund.locator('summary').click();
      await refund.getByRole('button', { name: 'Discard' }).click();
      const alert = main(operator).getByRole('alert');
      await expect(alert).toBeVisible();
      await expect(alert).toContainText('The job has been discarded.', { timeout: 100 });
    }).toPass();
    await awake(operator);
    await expect(refund).toHaveCount(0);
    await main(operator).getByRole('link', { name: 'Discarded' }).click();
    await expect(refund).toContainText('Discarded');
    await awake(operator);
    await go(operator, 'Audit log');
    for (const did of ['Retried a job', 'Discarded a job']) {
      await expect(rows(operator, did).filter({ hasText: email })).toHaveCount(1);
    }
  } finally {
    for (const each of [page, seller, operator]) await each.goto('about:blank');
    await market.restart();
  }
  await visit(operator, '/admin/jobs?state=discarded');
  await rows(operator, 'Refund').getByRole('button', { name: 'Try again' }).click();
  await expect(main(operator).getByRole('alert')).toBeVisible();
  await expect(async () => {
    await visit(operator, '/admin/jobs');
    await expect(rows(operator, 'Refund')).toHaveCount(0, { timeout: 100 });
  }).toPass();
  await visit(seller, `/seller/${SHOP}/orders/${order}`);
  await expect(main(seller)).toContainText(/refunded on/);
});

test('the admin area shows the whole market', async ({ page, visitor, market }) => {
  const order = await buy(page);
  const operator = await visitor();
  const email = await operate(market, operator);
  await visit(operator, '/admin');
  await arriveAt(operator, 'Dashboard');
  for (const part of Object.keys(PARTS)) await go(operator, part);

  // Each by its own URL too.
  const at = async (path: string, name: string | RegExp) => {
    expect(await visit(operator, path), path).toBe(200);
    await arriveAt(operator, name);
  };
  await at(`/admin/orders?q=${order}&state=placed`, 'Orders');
  await expect(rows(operator, order)).toContainText('Meena Crafts');
  await at(`/admin/orders?q=${order}&state=shipped`, 'Orders');
  await expect(main(operator)).toContainText('No results');
  await at('/admin/shops?q=meena', 'Shops');
  await expect(main(operator).locator('tbody tr')).toHaveCount(1);
  await expect(rows(operator, 'meena@haat.example')).toContainText('10%');
  await at(`/admin/users?q=${email}`, 'Users');
  await expect(rows(operator, email)).toContainText('Admin');
  await at('/admin/outbox', 'Outbox');
  await expect(rows(operator, 'Order placed').first()).toBeVisible();
  await at('/admin/audit', 'Audit log');
  await expect(rows(operator, email)).toContainText('Created an admin account');

  // The email to the shop, as it was written.
  const mail = rows(operator, `New order ${order}`);
  await expect(async () => {
    await at('/admin/notifications?channel=email', 'Notifications');
    await expect(mail).toHaveCount(1, { timeout: 100 });
  }).toPass();
  await expect(mail).toContainText('meena@haat.example');
  await mail.getByRole('link').click();
  await arriveAt(operator, new RegExp(`^New order ${order}`));
  await expect(main(operator).locator('pre')).toContainText('You have a new order');
  await expect(main(operator).locator('pre')).toContainText(`/seller/${SHOP}/orders`);
});

test('users, shops and their orders lead to each other', async ({ page, visitor, market }) => {
  const order = await buy(page);
  const operator = await visitor();
  await operate(market, operator);
  const link = (name: string | RegExp) => main(operator).getByRole('link', { name, exact: typeof name === 'string' });
  await visit(operator, '/admin');
  await arriveAt(operator, 'Dashboard');
  await expect(main(operator)).toContainText('New users');
  await link(order).click();
  await arriveAt(operator, `Order ${order}`);

  // A shop, found by its name, and the filter by which it was found.
  await visit(operator, '/admin/shops?q=MEENA crafts&state=selling');
  await link('Meena Crafts').click();
  await arriveAt(operator, 'Meena Crafts');
  await expect(main(operator)).toContainText('Available balance');
  await expect(link(order)).toBeVisible();
  await link('All orders').click();
  await arriveAt(operator, 'Orders');
  await expect(rows(operator, order)).toHaveCount(1);
  await link(/^Shop: meena-crafts/).click();
  await expect(link(/^Shop: /)).toHaveCount(0);
  await operator.goBack();
  await operator.goBack();
  await arriveAt(operator, 'Meena Crafts');
  await link('All shops').click();
  await arriveAt(operator, 'Shops');
  expect(new URL(operator.url()).searchParams.get('state')).toBe('selling');

  // From the shop to its owner, and back to the shop.
  await link('Meena Crafts').click();
  await arriveAt(operator, 'Meena Crafts');
  await main(operator).getByRole('region', { name: 'Staff' }).getByRole('link').first().click();
  await expect(main(operator)).toContainText(SELLERS[SHOP]);
  await expect(link('Meena Crafts')).toBeVisible();
  await visit(operator, '/admin/users?state=admin');
  await expect(rows(operator, SELLERS[SHOP])).toHaveCount(0);
  await visit(operator, '/admin/users?state=seller');
  await expect(rows(operator, SELLERS[SHOP])).toHaveCount(1);
});

test('an unknown address leads to the home page of its back office', async ({ page, visitor, market }) => {
  const seller = await visitor();
  await operate(market, page);
  await signIn(seller, SELLERS[SHOP]);
  for (const [visitor, paths, home] of [
    [page, ['/admin/no-such-page', '/admin/orders/H0-1', '/admin/users/nobody', '/admin/shops/no-such-shop'], '/admin'],
    [seller, [`/seller/${SHOP}/no-such-page`, `/seller/${SHOP}/orders/H0-1`], `/seller/${SHOP}`],
    [seller, ['/seller/no-such-shop/no-such-page'], '/seller'],
  ] as const) {
    for (const path of paths) {
      expect(await visit(visitor, path), path).toBe(404);
      await arriveAt(visitor, 'Page not found');
      await expect(main(visitor).getByRole('link')).toHaveAttribute('href', home);
    }
  }
});

test('the admin area does not exist for others', async ({ page, visitor }) => {
  const seller = await visitor();
  const paths = [
    '/admin',
    ...Object.values(PARTS),
    '/admin/notifications/notif_00000000000000000000000000',
    '/admin/users/user_00000000000000000000000000',
    `/admin/shops/${SHOP}`,
  ];
  for (const path of paths) expect(await visit(page, path), path).toBe(401);
  await expect(main(page).getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', /next=\/admin/);
  await signUp(page, freshEmail());
  await signIn(seller, SELLERS[SHOP]);
  for (const stranger of [page, seller]) {
    await expect(stranger.getByRole('link', { name: 'Admin', exact: true })).toHaveCount(0);
    for (const path of paths) {
      expect(await visit(stranger, path), path).toBe(404);
      await expect(stranger.getByRole('navigation', { name: 'Admin' }).getByRole('link')).toHaveCount(0);
    }
  }
});
