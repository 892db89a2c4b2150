// Payments on PayPal's page in a market in dollars, at the fake of PayPal (server/fakes).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test as base } from '../fixtures';
import { SHOPS, addOne, arriveAt, beginCheckout, cancelAndBeRefunded, fillAddress, main, payButton, shopName, thanks } from '../helpers';
import { Market, built, freePort } from '../server';
import type { Page } from '../fixtures';

const test = base.extend<object, { market: Market }>({
  market: [
    async ({ database }, use) => {
      const port = await freePort();
      const settings = {
        HAAT__MARKET__CURRENCY: 'USD',
        HAAT__PAYMENTS__PAYPAL_CLIENT_ID: 'app',
        HAAT__PAYMENTS__PAYPAL_SECRET: 'hush',
        HAAT__PAYMENTS__PAYPAL_WEBHOOK_ID: '1WEBHOOK',
        HAAT__PAYMENTS__PAYPAL_URL: `http://127.0.0.1:${port}`,
      };
      const market = await Market.open(database, settings, false);
      const paypal: ChildProcess = spawn(built('haat-fakes'), ['paypal', String(port), `${market.url}/webhooks/paypal`]);
      try {
        await once(paypal, 'spawn');
        await market.seed(settings);
        await use(market);
      } finally {
        paypal.kill();
        await market.close();
      }
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

/** Up to PayPal's page. */
async function toPayPal(page: Page): Promise<void> {
  await main(page).getByRole('radio', { name: 'PayPal' }).check();
  await payButton(page).click();
  await expect(page.getByRole('heading', { level: 1, name: /^Pay [\d.]+ USD$/ })).toBeVisible();
}

test('PayPal declines a card, and another one pays for two shops', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
  await addOne(page, SHOPS[0], 1);
  await addOne(page, SHOPS[1], 2);
  await beginCheckout(page);
  await fillAddress(page);
  await toPayPal(page);
  await page.getByRole('button', { name: 'Pay with an expired card' }).click();
  await expect(page.getByRole('alert')).toHaveText('This card was declined.');
  await page.getByRole('button', { name: 'Pay now' }).click();
  const { orders } = await thanks(page, names);
  expect(orders).toHaveLength(2);
  await expect(main(page)).toContainText('Paid with PayPal');
  await cancelAndBeRefunded(page, orders[0]!.number);
});

test('a shopper leaves PayPal’s page and continues', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await toPayPal(page);
  await page.getByRole('link', { name: 'Cancel and return' }).click();
  await arriveAt(page, 'Checkout');
  await main(page).getByRole('link', { name: 'Continue to payment' }).click();
  await page.getByRole('button', { name: 'Pay now' }).click();
  await thanks(page, names);
});
