// Payments in Razorpay's window over the checkout page, at the fake of Razorpay (server/fakes), whose script shows a frame as
// Razorpay's does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test as base } from '../fixtures';
import {
  ADDRESS,
  SHOPS,
  addOne,
  addressIsFilledIn,
  audit,
  beginCheckout,
  cancelAndBeRefunded,
  choose,
  fillAddress,
  main,
  payButton,
  shopName,
  thanks,
  visit,
} from '../helpers';
import { Market, built, freePort } from '../server';
import type { Page } from '../fixtures';

const test = base.extend<object, { market: Market; razorpay: string }>({
  razorpay: [
    async ({}, use) => use(`http://127.0.0.1:${await freePort()}`),
    { scope: 'worker' },
  ],
  market: [
    async ({ database, razorpay }, use) => {
      const market = await Market.open(database, {
        HAAT__PAYMENTS__RAZORPAY_KEY_ID: 'rzp_test_fake',
        HAAT__PAYMENTS__RAZORPAY_KEY_SECRET: 'hush',
        HAAT__PAYMENTS__RAZORPAY_WEBHOOK_SECRETS: 'webhook-hush',
        HAAT__PAYMENTS__RAZORPAY_URL: razorpay,
      });
      const arguments_ = ['razorpay', new URL(razorpay).port, `${market.url}/webhooks/razorpay`];
      const fake: ChildProcess = spawn(built('haat-fakes'), arguments_);
      try {
        await once(fake, 'spawn');
        await use(market);
      } finally {
        fake.kill();
        await market.close();
      }
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

const over = (page: Page) => page.frameLocator('iframe[title="Razorpay Checkout"]');
const answer = (page: Page, name: 'Success' | 'Failure' | 'Close') => over(page).getByRole('button', { name }).click();
const problem = (page: Page) => page.locator('#pay-window > [role=alert]');

/** A checkout whose address is filled in, and on which Razorpay is chosen. */
async function atCheckout(page: Page): Promise<string> {
  const checkout = await beginCheckout(page);
  await fillAddress(page);
  await main(page).getByRole('radio', { name: 'UPI, cards, net banking and wallets' }).check();
  await expect(main(page)).toContainText('You’ll pay securely in Razorpay’s window on this page.');
  return checkout;
}

test('a payment fails in the window, which is closed, and the next one pays for two shops', async ({ page, razorpay }) => {
  const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
  await addOne(page, SHOPS[0], 1);
  await addOne(page, SHOPS[1], 2);
  const loaded: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(razorpay)) loaded.push(request.url());
  });
  await atCheckout(page);
  // Nothing is loaded from Razorpay before the shopper pays.
  expect(loaded).toEqual([]);
  const total = /[\d,.]+/.exec(await payButton(page).innerText())![0].replace(/[,.]/g, '');
  await payButton(page).click();
  await expect(over(page).getByRole('heading', { name: 'Haat' })).toBeVisible();
  await expect(over(page).getByText(`Pay ${total} INR`)).toBeVisible();
  await expect(over(page).getByText(`${ADDRESS.Email} ${ADDRESS['Phone (optional)']}`)).toBeVisible();
  await answer(page, 'Close');
  await expect(problem(page)).toHaveText('Your payment wasn’t completed and nothing was charged. Try again or choose another payment method.');
  await payButton(page).click();
  await answer(page, 'Failure');
  await answer(page, 'Close');
  await expect(problem(page)).toHaveText('Your payment was declined by the bank.');
  // Nothing that was entered is lost, and nothing that the payment is for can be changed.
  await addressIsFilledIn(page);
  await expect(main(page).locator('[inert]')).toHaveCount(1);
  await payButton(page).click();
  await answer(page, 'Failure');
  await answer(page, 'Success');
  const { orders } = await thanks(page, names);
  expect(orders).toHaveLength(2);
  await expect(main(page)).toContainText('Paid through Razorpay');
  await cancelAndBeRefunded(page, orders[0]!.number);
});

test('a shopper leaves the window, comes back and pays', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await addOne(page, SHOPS[0], 1);
  const checkout = await atCheckout(page);
  await payButton(page).click();
  await expect(over(page).getByText(/^Pay \d+ INR$/)).toBeVisible();
  await visit(page, checkout);
  await expect(main(page)).toContainText('You have a payment in progress.');
  await page.setViewportSize({ width: 390, height: 844 });
  await audit(page);
  await payButton(page).click();
  await answer(page, 'Success');
  await thanks(page, names);
});

test('a shopper pays in the window and closes the page; or closes the window and pays in cash', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await addOne(page, SHOPS[0], 1);
  const checkout = await atCheckout(page);
  await payButton(page).click();
  // The answer of the window reaches nobody.
  await page.route('**/pay/return/**', (route) => route.abort('aborted'));
  await answer(page, 'Success');
  await expect(async () => {
    await visit(page, checkout);
    await expect(main(page)).toContainText('You’ve already placed this order', { timeout: 100 });
  }).toPass();

  await addOne(page, SHOPS[0], 1);
  await atCheckout(page);
  await payButton(page).click();
  await answer(page, 'Close');
  await choose(page, 'cash');
  await payButton(page).click();
  await thanks(page, names);
});
