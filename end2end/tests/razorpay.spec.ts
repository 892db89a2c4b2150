// Payments on the page of Razorpay's payment links, at the fake of Razorpay (server/fakes): without JavaScript, and with it if
// Razorpay's script is blocked.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test as base } from '../fixtures';
import { SHOPS, addOne, beginCheckout, cancelAndBeRefunded, fillAddress, main, payButton, shopName, thanks } from '../helpers';
import { Market, built, freePort } from '../server';
import type { Page } from '../fixtures';

const test = base.extend<object, { market: Market }>({
  market: [
    async ({ database }, use) => {
      const port = await freePort();
      const market = await Market.open(database, {
        HAAT__PAYMENTS__RAZORPAY_KEY_ID: 'rzp_test_fake',
        HAAT__PAYMENTS__RAZORPAY_KEY_SECRET: 'hush',
        HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS: 'webhook-hush',
        HAAT__PAYMENTS__RAZORPAY_URL: `http://127.0.0.1:${port}`,
      });
      const arguments_ = ['razorpay', String(port), `${market.url}/webhooks/razorpay`];
      const razorpay: ChildProcess = spawn(built('haat-fakes'), arguments_);
      try {
        await once(razorpay, 'spawn');
        await use(market);
      } finally {
        razorpay.kill();
        await market.close();
      }
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

/** Up to Razorpay's page. */
async function toRazorpay(page: Page): Promise<void> {
  await page.route('**/v1/checkout.js', (route) => route.abort());
  await main(page).getByRole('radio', { name: 'UPI, cards, net banking and wallets' }).check();
  await payButton(page).click();
  await expect(page.getByRole('heading', { level: 1, name: /^Pay \d+ INR$/ })).toBeVisible();
}

test('a payment fails on Razorpay’s page, and the next one pays for two shops', async ({ page, problems }) => {
  problems.allow(/ERR_FAILED/);
  const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
  await addOne(page, SHOPS[0], 1);
  await addOne(page, SHOPS[1], 2);
  await beginCheckout(page);
  await fillAddress(page);
  await toRazorpay(page);
  await page.getByRole('button', { name: 'Failure' }).click();
  await expect(page.getByRole('alert')).toHaveText('Your payment has failed.');
  await page.getByRole('button', { name: 'Success' }).click();
  const { orders } = await thanks(page, names);
  expect(orders).toHaveLength(2);
  await expect(main(page)).toContainText('Paid through Razorpay');
  await cancelAndBeRefunded(page, orders[0]!.number);
});

test('a shopper leaves Razorpay’s page and continues', async ({ page, problems }) => {
  problems.allow(/ERR_FAILED/);
  const names = [await shopName(page, SHOPS[0])];
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  const checkout = page.url();
  await fillAddress(page);
  await toRazorpay(page);
  // The page has no link back.
  await page.goto(checkout);
  await main(page).getByRole('link', { name: 'Continue to payment' }).click();
  await page.getByRole('button', { name: 'Success' }).click();
  await thanks(page, names);
});
