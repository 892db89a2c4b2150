// Notifications on the site: the number in the header, the page, and the settings.
import { expect, ownMarket, runsScripts, test as base } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, audit, beginCheckout, button, email, field, fillAddress, freshEmail, main, operate, payInCash, signIn, signUp, visit } from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];

test('a seller is told of an order, opens it, and chooses what they get', async ({ page, visitor }) => {
  const seller = await visitor();
  await signIn(seller, SELLERS[SHOP]);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');

  const bell = seller.getByRole('link', { name: /^Notifications/ });
  // With JavaScript, by itself.
  await expect(async () => {
    if (!runsScripts(seller)) await visit(seller, '/');
    await expect(bell).toHaveText(/Notifications, \d+ unread/, { timeout: 500 });
    await expect(bell).not.toHaveText(/, 0 unread/, { timeout: 500 });
  }).toPass();
  await bell.click();
  await arriveAt(seller, 'Notifications');
  const first = main(seller).locator('li').first();
  await expect(first.locator('.state')).toHaveText('New');
  await first.getByRole('button').click();
  await expect(seller).toHaveURL(new RegExp(`/seller/${SHOP}/orders/`));
  await visit(seller, '/notifications');
  await expect(main(seller).locator('li').first().locator('.state')).toHaveCount(0);
  await audit(seller);

  await main(seller).getByRole('link', { name: 'Notification settings' }).click();
  await arriveAt(seller, 'Notification settings');
  const sales = main(seller).getByRole('group', { name: 'Orders of your shops' });
  await sales.getByLabel('By email').uncheck();
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Settings saved.');
  await expect(sales.getByLabel('By email')).not.toBeChecked();
  await expect(sales.getByLabel('On this site')).toBeChecked();
});

test('an offer is written, looked at and sent; the log has it, and its email ends such emails', async ({ page, visitor, market }) => {
  const [operator, stranger] = [await visitor(), await visitor()];
  const address = freshEmail();
  await signUp(page, address);
  await visit(page, '/notifications/settings');
  const offers = main(page).getByRole('group', { name: 'Offers' });
  await expect(offers.getByLabel('By email')).not.toBeChecked();
  await offers.getByLabel('By email').check();
  await button(page, 'Save').click();
  await expect(main(page).getByRole('alert')).toContainText('Settings saved.');

  await operate(market, operator);
  await visit(operator, '/admin/announcements?edit=new');
  await main(operator).getByLabel('Type').selectOption('Offer');
  await main(operator).getByLabel('Email', { exact: true }).check();
  await button(operator, 'Save and preview').click();
  await expect(main(operator).getByRole('alert').first()).toContainText('Title (English)');
  await expect(main(operator).getByLabel('Email', { exact: true })).toBeChecked();
  await field(operator, 'Title (English) (optional)').fill('Lamps for less');
  await field(operator, 'Text (English) (optional)').fill('All lamps.\n\nAll <b>week</b>.');
  await button(operator, 'Save and preview').click();
  await expect(main(operator).locator('pre')).toContainText('All <b>week</b>.');
  await audit(operator);
  await button(operator, 'Send now').click();
  await expect(main(operator)).toContainText('The announcement will be sent.');

  await expect(async () => {
    await visit(page, '/notifications');
    await expect(main(page).getByRole('button', { name: 'Lamps for less' })).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(main(page)).toContainText('All <b>week</b>.');

  const link = /http[^"\s]+\/unsubscribe\/[^"\s]+/.exec(await email(page, 'Lamps for less'))![0];
  await stranger.goto(link);
  await arriveAt(stranger, 'Unsubscribe');
  await button(stranger, 'Unsubscribe from offers').click();
  await expect(main(stranger)).toContainText('You’ve unsubscribed from emails about offers.');
  await visit(page, '/notifications/settings');
  await expect(offers.getByLabel('By email')).not.toBeChecked();
  await expect(offers.getByLabel('On this site')).toBeChecked();

  await visit(operator, `/admin/notifications?q=${address}`);
  await expect(main(operator).locator('tbody tr')).toHaveCount(2);
  await main(operator).getByRole('link', { name: 'Email', exact: true }).click();
  await expect(main(operator).locator('tbody tr')).toHaveCount(1);
  await main(operator).locator('tbody a').click();
  await arriveAt(operator, 'Lamps for less');
  await button(operator, 'Send again').click();
  await expect(main(operator)).toContainText('The notification has been queued again.');
  await expect(button(operator, 'Send again')).toHaveCount(0);
});
