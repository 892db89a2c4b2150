// Payments by card on Stripe's page, at the fake of Stripe (server/fakes).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test as base } from '../fixtures';
import { CARDS, SHOPS, addOne, arriveAt, beginCheckout, button, cancelAndBeRefunded, fillAddress, freshEmail, main, payButton, removeCard, shopName, signUp, thanks, visit } from '../helpers';
import { Market, built, freePort } from '../server';
import type { Page } from '../fixtures';

const test = base.extend<object, { market: Market }>({
  market: [
    async ({ database }, use) => {
      const port = await freePort();
      const market = await Market.open(database, {
        HAAT__PAYMENTS__STRIPE_SECRET_KEY: 'sk_test_fake',
        HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS: 'whsec_fake',
        HAAT__PAYMENTS__STRIPE_URL: `http://127.0.0.1:${port}`,
      });
      const stripe: ChildProcess = spawn(built('haat-fakes'), ['stripe', String(port), `${market.url}/webhooks/stripe`]);
      try {
        await once(stripe, 'spawn');
        await use(market);
      } finally {
        stripe.kill();
        await market.close();
      }
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

/** Up to Stripe's page. */
async function toStripe(page: Page): Promise<void> {
  await main(page).getByRole('radio', { name: 'Credit or debit card' }).check();
  await payButton(page).click();
  await expect(page.getByRole('heading', { level: 1, name: /^Pay \d+ inr$/ })).toBeVisible();
}

async function submit(page: Page, card: string): Promise<void> {
  await page.getByLabel('Card number').fill(card);
  await page.getByRole('button', { name: 'Pay' }).click();
}

test('a card is declined on Stripe’s page, and another one pays for two shops', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0]), await shopName(page, SHOPS[1])];
  await addOne(page, SHOPS[0], 1);
  await addOne(page, SHOPS[1], 2);
  await beginCheckout(page);
  await fillAddress(page);
  await toStripe(page);
  await submit(page, CARDS.decline);
  await expect(page.getByRole('alert')).toHaveText('Your card was declined.');
  await submit(page, CARDS.approve);
  const { orders } = await thanks(page, names);
  expect(orders).toHaveLength(2);
  await expect(main(page)).toContainText('Paid by card');
  await cancelAndBeRefunded(page, orders[0]!.number);
});

test('a card is saved in the account, pays on Stripe’s page, and is removed', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await signUp(page, freshEmail());
  await visit(page, '/account/cards');
  await button(page, 'Add a card').click();
  await page.getByLabel('Card number').fill(CARDS.approve);
  await page.getByRole('button', { name: 'Save card' }).click();
  await arriveAt(page, 'Saved cards');
  await expect(main(page)).toContainText('Visa ending in 4242');
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await toStripe(page);
  await page.getByRole('radio', { name: 'visa ending in 4242' }).check();
  await page.getByRole('button', { name: 'Pay' }).click();
  await thanks(page, names);
  await visit(page, '/account/cards');
  await removeCard(page);
});

test('a shopper leaves Stripe’s page, continues and confirms', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await toStripe(page);
  await page.getByRole('link', { name: 'Back' }).click();
  await arriveAt(page, 'Checkout');
  await main(page).getByRole('link', { name: 'Continue to payment' }).click();
  await submit(page, CARDS.challenge);
  await page.getByRole('button', { name: 'Complete' }).click();
  await thanks(page, names);
});
