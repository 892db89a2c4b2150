// A copy of one's data, the deletion of one's account, and accounts that an admin deactivates and deletes, with and without
// JavaScript.
import { readFile } from 'node:fs/promises';
import { expect, test } from '../fixtures';
import { PASSWORD, SELLERS, SHOPS, addOne, arriveAt, audit, awake, beginCheckout, button, choose, deliver, field, fillAddress, freshEmail, main, operate, payInCash, refused, shopName, signIn, signUp, thanks, visit } from '../helpers';

const SHOP = SHOPS[0];
const PAGE = '/account/data';

test('an account is copied, refused while an order is open, and deleted', async ({ page, visitor }) => {
  const email = freshEmail();
  await signUp(page, email);
  const name = await shopName(page, SHOP);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await choose(page, 'cash');
  await payInCash(page);
  const { number, orders } = await thanks(page, [name]);
  await visit(page, '/account');
  await main(page).getByRole('link', { name: 'Your data' }).click();
  await arriveAt(page, 'Your data');
  await awake(page);
  await audit(page);
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download my data').click()]);
  expect(download.suggestedFilename()).toBe('personal-data.json');
  const copy = await readFile(await download.path(), 'utf8');
  expect(JSON.parse(copy).data.profile[0].email).toBe(email);
  expect(copy).toContain(number);
  await expect(main(page)).toContainText('Some orders haven’t been delivered or cancelled.');
  await expect(button(page, 'Delete my account')).toHaveCount(0);

  const seller = await visitor();
  await signIn(seller, SELLERS[SHOP]);
  await deliver(seller, SHOP, orders[0]!.number);
  await visit(page, PAGE);
  await button(page, 'Delete my account').click();
  await refused(field(page, 'Current password'));
  await audit(page);
  await awake(page);
  await main(page).getByLabel('I understand that this can’t be undone').check();
  await field(page, 'Current password').fill('not my password');
  await button(page, 'Delete my account').click();
  await expect(main(page)).toContainText('Incorrect password.');
  await awake(page);
  await expect(main(page).getByLabel('I understand that this can’t be undone')).toBeChecked();
  await field(page, 'Current password').fill(PASSWORD);
  await button(page, 'Delete my account').click();
  await arriveAt(page, 'Sign in');
  await expect(main(page)).toContainText('Your account has been deleted.');
  await awake(page);
  await field(page, 'Email').fill(email);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await expect(main(page)).toContainText('Incorrect email or password.');
  await visit(seller, `/seller/${SHOP}/orders/${orders[0]!.number}`);
  await expect(main(seller)).toContainText('Deleted account');
  await expect(main(seller)).not.toContainText(email);
  await audit(seller);
});

test('an admin deactivates an account, activates it again and deletes it', async ({ page, visitor, market, problems }) => {
  // The page that the user has open loses its socket, and asks once more.
  problems.allow(/WebSocket connection to .*\/live/);
  const email = freshEmail();
  await signUp(page, email);
  const admin = await visitor();
  await operate(market, admin);
  await visit(admin, `/admin/users?q=${email}`);
  await main(admin).locator('tbody .row-link').click();
  await expect(main(admin).getByRole('link', { name: 'All users' })).toBeVisible();
  await awake(admin);
  await main(admin).locator('summary', { hasText: 'Deactivate account' }).click();
  await button(admin, 'Deactivate').click();
  await refused(field(admin, 'Reason'));
  await audit(admin);
  await awake(admin);
  await field(admin, 'Reason').fill('Floods shops with orders');
  await button(admin, 'Deactivate').click();
  await expect(main(admin)).toContainText('Account deactivated.');
  await expect(main(admin)).toContainText('Floods shops with orders');
  await audit(admin);
  const path = new URL(admin.url()).pathname;

  await visit(page, '/sign-in');
  await field(page, 'Email').fill(email);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await expect(main(page)).toContainText('This account has been deactivated.');
  await visit(admin, path);
  await button(admin, 'Reactivate account').click();
  await expect(main(admin)).toContainText('Account reactivated.');
  await signIn(page, email);

  await visit(admin, path);
  await main(admin).locator('summary', { hasText: 'Delete account' }).click();
  await main(admin).getByLabel('The owner of the account has asked for this').check();
  await button(admin, 'Delete for good').click();
  await expect(main(admin)).toContainText('Account deleted.');
  await expect(main(admin)).toContainText('Deleted account');
  await expect(main(admin)).not.toContainText(email);
  await audit(admin);
});
