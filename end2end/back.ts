// What the Back button shows: never an outdated page. Tests for browsers with a back-forward cache, and for those without.
import { expect, test } from './fixtures';
import type { Page } from './fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  cartLink,
  beginCheckout,
  button,
  choose,
  fillAddress,
  main,
  openProduct,
  payInCash,
  payButton,
  signIn,
  signOut,
  visit,
} from './helpers';

const back = async (page: Page): Promise<void> => {
  // A page restored from the cache doesn't load again.
  await page.goBack({ waitUntil: 'commit' });
  await awake(page);
};

export function journeys(): void {
  test('after signing out nothing of the account or the shop comes back', async ({ page, visitor }) => {
    const buyer = await visitor();
    await addOne(buyer, SHOPS[0], 1);
    await beginCheckout(buyer);
    await fillAddress(buyer, { 'Full name': 'Zubeida Khan' });
    await payInCash(buyer);
    await arriveAt(buyer, 'Thank you for your order');

    await signIn(page, SELLERS[SHOPS[0]]);
    await visit(page, `/seller/${SHOPS[0]}/orders`);
    await expect(main(page)).toContainText('Zubeida Khan');
    await visit(page, '/account');
    await arriveAt(page, 'Your account');
    await signOut(page);
    for (let steps = 0; steps < 3; steps += 1) {
      await back(page);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.getByText('Zubeida Khan')).toHaveCount(0);
      await expect(page.getByRole('button', { name: 'Sign out' })).toHaveCount(0);
    }
  });

  test('after paying the checkout says so, and the basket is empty', async ({ page }) => {
    const product = await openProduct(page, SHOPS[0]);
    await button(page, 'Add to basket').click();
    await expect(cartLink(page, 1)).toBeVisible();
    await beginCheckout(page);
    await fillAddress(page);
    await payInCash(page);
    await arriveAt(page, 'Thank you for your order');
    await back(page);
    await arriveAt(page, 'You’ve already placed this order');
    await expect(cartLink(page, 0)).toBeVisible();
    await main(page).getByRole('link', { name: 'View order' }).click();
    await arriveAt(page, 'Thank you for your order');
    await back(page);
    // Going on while the page is still being exchanged is an error of the browser's protocol.
    await arriveAt(page, 'You’ve already placed this order');
    await back(page);
    await arriveAt(page, 'Your basket');
    await expect(main(page)).toContainText('Your basket is empty');
    await expect(main(page)).not.toContainText(product);
  });

  test('back from the gateway a payment is under way, to go on with or to begin again', async ({ page }) => {
    await addOne(page, SHOPS[0], 1);
    const checkout = await beginCheckout(page);
    await fillAddress(page);
    await choose(page, 'card');
    await payButton(page).click();
    await arriveAt(page, 'Sandbox payment');
    await back(page);
    await arriveAt(page, 'Checkout');
    await expect(main(page)).toContainText('You have a payment in progress');
    await main(page).getByRole('link', { name: 'Continue to payment' }).click();
    await arriveAt(page, 'Sandbox payment');
    await back(page);
    await button(page, 'Start checkout again').click();
    await arriveAt(page, 'Checkout');
    expect(new URL(page.url()).pathname).not.toBe(checkout);
    await expect(main(page)).not.toContainText('You have a payment in progress');
    await payInCash(page);
    await arriveAt(page, 'Thank you for your order');
  });
}
