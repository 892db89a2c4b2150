// The staff of a shop, with and without JavaScript: an owner invites someone, who ships orders and sees nothing else, and is removed.
import { type Page, expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  PASSWORD,
  addOne,
  arriveAt,
  audit,
  awake,
  beginCheckout,
  button,
  choose,
  deliver,
  email,
  field,
  fillAddress,
  freshEmail,
  main,
  payInCash,
  refused,
  shopName,
  signIn,
  signOut,
  signUp,
  thanks,
  visit,
  withoutBrowserChecks,
} from '../helpers';

const SHOP = SHOPS[0];
const TEAM = `/seller/${SHOP}/team`;

/** Invites an address, in English; returns the path of the link in the email. */
async function invite(seller: Page, address: string, role: string): Promise<string> {
  await visit(seller, TEAM);
  await field(seller, 'Email').fill(address);
  await field(seller, 'Role').selectOption(role);
  await button(seller, 'Send invitation').click();
  await expect(main(seller).getByRole('alert')).toContainText('Invitation sent.');
  await awake(seller);
  return linkIn(seller);
}

async function linkIn(seller: Page): Promise<string> {
  const text = await email(seller, 'Invitation to join');
  return text.match(/\/invitations\/[^"]+/)![0].replaceAll('&amp;', '&');
}

/** Opens what an owner can do with a member. */
async function manage(seller: Page, name: string): Promise<void> {
  await visit(seller, TEAM);
  await main(seller).locator('.row', { hasText: name }).locator('summary').click();
}

test('someone is invited to ship orders, ships one, and is removed', async ({ page, visitor }) => {
  const seller = await visitor();
  const shop = await shopName(seller, SHOP);
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}`);
  await seller.getByRole('navigation').getByRole('link', { name: 'Staff' }).click();
  await arriveAt(seller, 'Staff');
  await awake(seller);
  await audit(seller);
  await withoutBrowserChecks(seller);
  await field(seller, 'Email').fill('not an address');
  await field(seller, 'Role').selectOption('support');
  await button(seller, 'Send invitation').click();
  await refused(field(seller, 'Email'));
  await expect(field(seller, 'Email')).toHaveValue('not an address');
  await expect(field(seller, 'Role')).toHaveValue('support');
  await audit(seller);
  await awake(seller);
  await field(seller, 'Email').fill(SELLERS[SHOP].toUpperCase());
  await button(seller, 'Send invitation').click();
  await expect(main(seller)).toContainText('This person already works for your shop.');

  // Whoever has no account signs up on the way.
  const address = freshEmail();
  const link = await invite(seller, address.toUpperCase(), 'fulfilment');
  await audit(seller);
  const member = await visitor();
  await visit(member, link);
  await arriveAt(member, `Join ${shop}`);
  await expect(main(member)).toContainText('Role: Fulfilment.');
  await audit(member);
  await main(member).getByRole('link', { name: 'Create an account' }).click();
  await arriveAt(member, 'Create your account');
  await awake(member);
  await field(member, 'Name').fill('Ravi Kumar');
  await field(member, 'Email').fill(address);
  await field(member, 'Password').fill(PASSWORD);
  await button(member, 'Create account').click();
  await arriveAt(member, `Join ${shop}`);
  await awake(member);
  await audit(member);
  // Someone else can't take it.
  const other = await visitor();
  await signUp(other, freshEmail());
  await visit(other, link);
  await expect(main(other)).toContainText(`but this invitation is for ${address.toUpperCase().split('@')[0]}@`);
  await expect(button(other, 'Accept invitation')).toHaveCount(0);
  await audit(other);

  await button(member, 'Accept invitation').click();
  await expect(member).toHaveURL(new RegExp(`/seller/${SHOP}$`));
  await awake(member);
  const nav = member.getByRole('navigation', { name: 'Seller dashboard' });
  await expect(nav.getByRole('link', { name: 'Orders' })).toBeVisible();
  for (const hidden of ['Products', 'Messages', 'Promotions', 'Balance', 'Shipping', 'Staff', 'Settings']) {
    await expect(nav.getByRole('link', { name: hidden })).toHaveCount(0);
  }
  await expect(main(member).locator('a[href*="/products"]')).toHaveCount(0);
  await audit(member);
  for (const denied of ['balance', 'settings', 'team', 'products']) {
    expect(await visit(member, `/seller/${SHOP}/${denied}`), denied).toBe(403);
  }
  await visit(member, link);
  await arriveAt(member, 'This invitation has already been accepted');
  await audit(member);

  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await choose(page, 'cash');
  await payInCash(page);
  const order = (await thanks(page, [shop])).orders[0]!.number;
  await deliver(member, SHOP, order);
  await visit(member, '/seller');
  await expect(main(member).locator('.row')).toContainText('Fulfilment');
  await audit(member);

  await manage(seller, 'Ravi Kumar');
  await audit(seller);
  await field(seller, 'Role of Ravi Kumar').selectOption('support');
  await main(seller).locator('.row', { hasText: 'Ravi Kumar' }).getByRole('button', { name: 'Change role' }).click();
  await expect(main(seller).getByRole('alert')).toContainText('Role changed.');
  await visit(member, `/seller/${SHOP}/messages`);
  await arriveAt(member, 'Messages');
  await manage(seller, 'Ravi Kumar');
  await button(seller, 'Remove from staff').click();
  await expect(main(seller).getByRole('alert')).toContainText('Removed from staff.');
  await expect(main(seller)).not.toContainText('Ravi Kumar');
  for (const gone of ['', '/orders', `/orders/${order}`]) {
    expect(await visit(member, `/seller/${SHOP}${gone}`), gone).toBe(404);
  }
});

test('an invitation is withdrawn, another is accepted by who signs in, and the member leaves', async ({ page, visitor }) => {
  const seller = await visitor();
  const shop = await shopName(seller, SHOP);
  const address = freshEmail();
  await signUp(page, address);
  await signOut(page);
  await signIn(seller, SELLERS[SHOP]);
  const first = await invite(seller, address, 'manager');
  await button(seller, `Send again: ${address}`).click();
  await expect(main(seller).getByRole('alert')).toContainText('Invitation sent.');
  await awake(seller);
  await button(seller, `Withdraw: ${address}`).click();
  await expect(main(seller).getByRole('alert')).toContainText('Invitation withdrawn.');
  await visit(page, first);
  await arriveAt(page, 'This invitation has been withdrawn');
  await audit(page);
  expect(await visit(page, `${first}x`)).toBe(404);
  await arriveAt(page, 'This invitation link doesn’t work');
  await audit(page);

  const link = await invite(seller, address, 'manager');
  await visit(page, link);
  await main(page).getByRole('link', { name: 'Sign in' }).click();
  await arriveAt(page, 'Sign in');
  await awake(page);
  await field(page, 'Email').fill(address);
  await field(page, 'Password').fill(PASSWORD);
  await button(page, 'Sign in').click();
  await arriveAt(page, `Join ${shop}`);
  await awake(page);
  await button(page, 'Accept invitation').click();
  await expect(page).toHaveURL(new RegExp(`/seller/${SHOP}$`));
  await visit(page, '/seller');
  await main(page).locator('summary').click();
  await audit(page);
  await button(page, 'Leave shop').click();
  await expect(main(page).getByRole('alert')).toContainText('You’ve left the shop.');
  await expect(main(page)).toContainText('You don’t have a shop yet');
  expect(await visit(page, `/seller/${SHOP}`)).toBe(404);

  // The last owner stays.
  await visit(seller, TEAM);
  await main(seller).locator('summary').first().click();
  await button(seller, 'Leave shop').click();
  await expect(main(seller).getByRole('alert')).toContainText('There must be at least one owner.');
});
