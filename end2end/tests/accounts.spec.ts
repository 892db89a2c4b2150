import { expect, test } from '../fixtures';
import {
  arriveAt,
  SHOPS,
  addOne,
  cartHolds,
  cartLink,
  freshEmail,
  signIn,
  signOut,
  signUp,
  visit,
} from '../helpers';

test('a guest’s basket is merged into the account and kept', async ({ page, visitor }) => {
  const email = freshEmail();

  // On sign-up.
  const first = await addOne(page, SHOPS[0], 1);
  await signUp(page, email);
  await expect(cartLink(page, 1)).toBeVisible();
  await cartHolds(page, [first]);

  // The basket belongs to the account now: it disappears on signing out and returns on signing in.
  await signOut(page);
  await cartHolds(page, []);
  await expect(cartLink(page, 0)).toBeVisible();
  await signIn(page, email);
  await cartHolds(page, [first]);

  // On sign-in from another device, the baskets are merged.
  const other = await visitor();
  const second = await addOne(other, SHOPS[1], 1);
  await signIn(other, email);
  await cartHolds(other, [first, second]);
  await expect(cartLink(other, 2)).toBeVisible();
  await cartHolds(page, [first, second]);
});

test('signed-in users are not asked to sign in again', async ({ page }) => {
  await signUp(page, freshEmail());
  await visit(page, '/sign-in?next=/account');
  await arriveAt(page, 'Your account');
});

test('the account page asks those who are not signed in to sign in', async ({ page }) => {
  await page.goto('/account');
  await expect(page.getByRole('main').getByRole('link', { name: 'Sign in' }).or(
    page.getByRole('main').getByRole('button', { name: 'Sign in' }),
  ).first()).toBeVisible();
});
