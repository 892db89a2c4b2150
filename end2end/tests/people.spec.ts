// What a shopper does with their account: a new password, their profile, addresses and wishlist, with and without JavaScript.
import { expect, test } from '../fixtures';
import { PASSWORD, SHOPS, addOne, arriveAt, awake, beginCheckout, button, choose, field, fillAddress, freshEmail, main, openProduct, payInCash, signIn, signOut, signOutButton, signUp, visit } from '../helpers';

const NEW = 'another-market-day';

test('a forgotten password is reset by email, and changed again from the profile', async ({ page, visitor }) => {
  const email = freshEmail();
  await signUp(page, email);
  await signOut(page);
  await visit(page, '/sign-in');
  await main(page).getByRole('link', { name: 'Forgot your password?' }).click();
  await arriveAt(page, 'Forgot your password?');
  await awake(page);
  await field(page, 'Email').fill(email);
  await button(page, 'Email me a link').click();
  await expect(main(page)).toContainText('we’ve sent it a link');

  const inbox = await visitor();
  const letter = inbox.getByRole('link').filter({ hasText: email }).filter({ hasText: 'Choose a new password' });
  await expect.poll(async () => (await inbox.goto('/dev/mail'), letter.count())).toBe(1);
  await letter.click();
  const mail = (await inbox.locator('pre').first().textContent()) ?? '';
  const link = /\/reset-password\/\S+/.exec(mail)?.[0] ?? '';
  await visit(page, link);
  await arriveAt(page, 'Choose a new password');
  await field(page, 'New password').fill('short');
  await button(page, 'Save password').click();
  await expect(field(page, 'New password')).toHaveAttribute('aria-invalid', 'true');
  await awake(page);
  await field(page, 'New password').fill(NEW);
  await button(page, 'Save password').click();
  await arriveAt(page, 'Sign in');
  await expect(main(page)).toContainText('Your password has been changed.');
  await awake(page);
  await field(page, 'Email').fill(email);
  await field(page, 'Password').fill(NEW);
  await button(page, 'Sign in').click();
  await expect(signOutButton(page)).toBeVisible();
  await visit(page, link);
  await expect(main(page)).toContainText('This link has expired');

  await visit(page, '/account/profile');
  await field(page, 'Current password').fill(NEW);
  await field(page, 'New password').fill(PASSWORD);
  await button(page, 'Change password').click();
  await expect(main(page)).toContainText('You’re signed out everywhere else.');
  await awake(page);
  await field(page, 'Name').fill('Asha Devi Rao');
  await button(page, 'Save changes').click();
  await expect(main(page)).toContainText('Your details have been saved.');
  await expect(field(page, 'Name')).toHaveValue('Asha Devi Rao');
  await expect(main(page)).toContainText('This device');
  await signOut(page);
  await signIn(page, email);
});

test('a code that is emailed signs in where it was asked for', async ({ page, visitor }) => {
  const email = freshEmail();
  await signUp(page, email);
  await signOut(page);
  const product = await openProduct(page, SHOPS[0]);
  const here = new URL(page.url()).pathname;
  await visit(page, `/sign-in?next=${encodeURIComponent(here)}`);
  await main(page).getByRole('link', { name: 'Email me a sign-in code' }).click();
  await arriveAt(page, 'Sign in with a code');
  await field(page, 'Email').fill(email);
  await button(page, 'Email me a code').click();
  await expect(main(page)).toContainText('we’ve sent it a six-digit code');

  const inbox = await visitor();
  const letter = inbox.getByRole('link').filter({ hasText: email }).filter({ hasText: 'Your sign-in code' });
  await expect.poll(async () => (await inbox.goto('/dev/mail'), letter.count())).toBe(1);
  await visit(inbox, (await letter.getAttribute('href')) ?? '');
  const code = /enter (\d{6}) to sign in/.exec((await inbox.textContent('body')) ?? '')?.[1] ?? '';

  // It counts in no other browser, and a wrong one is told.
  await visit(inbox, '/sign-in/code?step=enter');
  await field(inbox, 'Six-digit code').fill(code);
  await button(inbox, 'Sign in').click();
  await expect(main(inbox)).toContainText('This code is wrong or no longer works.');
  await awake(page);
  await field(page, 'Six-digit code').fill('12');
  await button(page, 'Sign in').click();
  await expect(field(page, 'Six-digit code')).toHaveAttribute('aria-invalid', 'true');
  await awake(page);
  await field(page, 'Six-digit code').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await button(page, 'Sign in').click();
  await arriveAt(page, product);
  await expect(signOutButton(page)).toBeVisible();
});

test('addresses are saved, and the checkout offers them', async ({ page }) => {
  await signUp(page, freshEmail());
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await page.getByLabel('Save this address to my account').check();
  await choose(page, 'cash');
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await visit(page, '/account/addresses');
  await expect(main(page)).toContainText('12 Lake Road');
  await page.getByLabel('Type of address').selectOption('Work');
  await field(page, 'Full name').fill('Asha Rao');
  await field(page, 'Street address').fill('2 Hill Road');
  await field(page, 'Town or city').fill('Pune');
  await field(page, 'PIN code').fill('411002');
  await page.getByLabel('Use this address first at checkout').check();
  await button(page, 'Save address').click();
  await expect(main(page)).toContainText('Address saved.');
  await expect(main(page).locator('li').first()).toContainText('2 Hill Road');
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await expect(main(page)).toContainText('2 Hill Road');
  await main(page).getByText('Use a saved address').click();
  await main(page).getByRole('button', { name: /^Use this address: Home/ }).click();
  await expect(main(page).locator('.known-address summary')).toContainText('12 Lake Road');
});

test('a guest’s wishlist joins the account’s, and leads to the basket', async ({ page, visitor }) => {
  const name = await openProduct(page, SHOPS[0]);
  await button(page, 'Save to wishlist').click();
  await expect(page.getByText('Saved to your wishlist').first()).toBeVisible();
  await signUp(page, freshEmail());
  await visit(page, '/wishlist');
  await expect(main(page)).toContainText(name);
  const shared = await main(page).getByRole('link', { name: 'Shared wishlist' }).getAttribute('href');
  const friend = await visitor();
  await visit(friend, shared!);
  await expect(main(friend)).toContainText(name);
  await expect(main(friend).getByRole('button', { name: /^Remove/ })).toHaveCount(0);
  await main(page).getByRole('button', { name: /^Move to basket/ }).click();
  await expect(main(page)).toContainText('Your wishlist is empty');
  await visit(page, '/cart');
  await main(page).getByRole('button', { name: /^Save for later/ }).click();
  await arriveAt(page, 'Wishlist');
  await expect(main(page)).toContainText(name);
});
