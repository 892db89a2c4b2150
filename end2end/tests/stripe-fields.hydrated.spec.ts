// Payments by card in Stripe's fields on the checkout page, at the fake of Stripe (server/fakes), whose script shows a frame as
// Stripe's does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test as base } from '../fixtures';
import { CARDS, SHOPS, addOne, addressIsFilledIn, arriveAt, audit, beginCheckout, choose, fillAddress, freshEmail, looks, main, payButton, removeCard, shopName, signUp, thanks, visit } from '../helpers';
import { Market, built, freePort } from '../server';
import type { Page } from '../fixtures';

const test = base.extend<object, { market: Market; stripe: string }>({
  stripe: [
    async ({}, use) => use(`http://127.0.0.1:${await freePort()}`),
    { scope: 'worker' },
  ],
  market: [
    async ({ database, stripe }, use) => {
      const market = await Market.open(database, {
        HAAT__PAYMENTS__STRIPE_SECRET_KEY: 'sk_test_fake',
        HAAT__PAYMENTS__STRIPE_WEBHOOK_SECRETS: 'whsec_fake',
        HAAT__PAYMENTS__STRIPE_PUBLISHABLE_KEY: 'pk_test_fake',
        HAAT__PAYMENTS__STRIPE_URL: stripe,
        HAAT__LOG__FILTER: 'debug',
      });
      const fake: ChildProcess = spawn(built('haat-fakes'), ['stripe', new URL(stripe).port, `${market.url}/webhooks/stripe`]);
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

const NOTE = 'Your card details go straight to Stripe.';
const fields = (page: Page) => page.frameLocator('#card iframe');
const number = (page: Page) => fields(page).getByLabel('Card number');
const problem = (page: Page) => page.locator('#card > [role=alert]');

/** Takes pictures of a page, if somebody wants to see it. */
async function shoot(page: Page, name: string): Promise<void> {
  const shots = process.env.HAAT_SCREENS;
  if (!shots) return;
  await looks(page, async (look) => void (await page.screenshot({ path: `${shots}/${name}-${look}.png`, fullPage: true })));
}

/** A checkout whose address is filled in, and on which a card is chosen. */
async function atFields(page: Page): Promise<string> {
  await addOne(page, SHOPS[0], 1);
  const checkout = await beginCheckout(page);
  await fillAddress(page);
  await main(page).getByRole('radio', { name: 'Credit or debit card' }).check();
  await expect(number(page)).toBeVisible();
  return checkout;
}

test('a card is declined beside its fields, and another one pays; nothing of either reaches the market', async ({ page, market }) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(market.url)) sent.push(`${request.url()} ${request.postData() ?? ''}`);
  });
  const names = [await shopName(page, SHOPS[0])];
  await atFields(page);
  await expect(main(page)).toContainText(NOTE);
  // What is wrong in the form is said first, then what is wrong in the fields.
  await payButton(page).click();
  await expect(problem(page)).toHaveText('Your card number is incomplete.');
  await number(page).fill(CARDS.decline);
  await payButton(page).click();
  await expect(problem(page)).toHaveText('Your card was declined.');
  // Nothing that was entered is lost, and nothing that the payment is for can be changed.
  await addressIsFilledIn(page);
  await expect(number(page)).toHaveValue(CARDS.decline);
  await expect(main(page).locator('[inert]')).toHaveCount(1);
  await number(page).fill(CARDS.approve);
  await payButton(page).click();
  await thanks(page, names);
  await expect(main(page)).toContainText('Paid by card');
  expect(sent.some((request) => request.includes('/api/checkout/pay'))).toBe(true);
  const log = market.log();
  expect(log).toContain('/api/checkout/pay');
  for (const card of [CARDS.decline, CARDS.approve].flatMap((card) => [card, card.replaceAll(' ', '')])) {
    expect([...sent, log].filter((text) => text.includes(card))).toEqual([]);
  }
});

test('a card is saved while it pays, pays once more, and is removed', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await signUp(page, freshEmail());
  await atFields(page);
  await expect(fields(page).getByRole('radio')).toHaveCount(0);
  await number(page).fill(CARDS.approve);
  await fields(page).getByLabel('Save this card for next time').check();
  await payButton(page).click();
  await thanks(page, names);

  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await main(page).getByRole('radio', { name: 'Credit or debit card' }).check();
  await expect(fields(page).getByRole('radio', { name: 'visa ending in 4242' })).toBeChecked();
  await shoot(page, 'checkout-saved-card');
  await payButton(page).click();
  await thanks(page, names);

  await visit(page, '/account');
  await main(page).getByRole('link', { name: 'Saved cards' }).click();
  await arriveAt(page, 'Saved cards');
  await expect(main(page)).toContainText('Expires 12/2034');
  await main(page).getByText(/^Remove Visa ending in 4242$/).click();
  await looks(page, () => audit(page));
  await shoot(page, 'cards');
  await main(page).getByText(/^Remove Visa ending in 4242$/).click();
  await removeCard(page);
});

test('a bank asks who is paying: failed, then completed', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await atFields(page);
  await number(page).fill(CARDS.challenge);
  await payButton(page).click();
  await fields(page).getByRole('button', { name: 'Fail' }).click();
  await expect(problem(page)).toHaveText('Your card was declined.');
  await payButton(page).click();
  await fields(page).getByRole('button', { name: 'Complete' }).click();
  await thanks(page, names);
});

test('a shopper leaves after a declined card, comes back and pays', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  const checkout = await atFields(page);
  await number(page).fill(CARDS.decline);
  await payButton(page).click();
  await expect(problem(page)).toHaveText('Your card was declined.');
  await page.goto('/');
  await page.goto(checkout);
  await expect(main(page)).toContainText('You have a payment in progress.');
  await number(page).fill(CARDS.approve);
  await payButton(page).click();
  await thanks(page, names);
});

test('after a declined card, cash is chosen instead', async ({ page }) => {
  const names = [await shopName(page, SHOPS[0])];
  await atFields(page);
  await number(page).fill(CARDS.decline);
  await payButton(page).click();
  await expect(problem(page)).toHaveText('Your card was declined.');
  await choose(page, 'cash');
  await expect(page.locator('#card')).toBeHidden();
  await payButton(page).click();
  await thanks(page, names);
});

test('Stripe’s script is loaded once a card is chosen, and without it the card is entered on Stripe’s page', async ({ page, stripe, problems }) => {
  problems.allow(/ERR_FAILED/);
  const names = [await shopName(page, SHOPS[0])];
  const loaded: string[] = [];
  await page.route(`${stripe}/v3/`, (route) => {
    loaded.push(route.request().url());
    return route.abort();
  });
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  const kept = page.waitForResponse((response) => (response.request().postData() ?? '').includes('"payment_method":"cash"'));
  await choose(page, 'cash');
  await kept;
  loaded.length = 0;
  await page.reload();
  await expect(page.locator('#card[data-on]')).toHaveCount(1);
  expect(loaded).toEqual([]);
  await main(page).getByRole('radio', { name: 'Credit or debit card' }).check();
  await expect(page.locator('#card[data-on]')).toHaveCount(0);
  expect(loaded).toHaveLength(1);
  await payButton(page).click();
  await page.getByLabel('Card number').fill(CARDS.approve);
  await page.getByRole('button', { name: 'Pay' }).click();
  await thanks(page, names);
});

test('the fields fit a phone, and are accessible', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await atFields(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
  await audit(page);
});
