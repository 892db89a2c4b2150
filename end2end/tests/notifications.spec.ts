// Notifications on the site: the number in the header, the page, and the settings.
import { expect, ownMarket, test as base } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, audit, beginCheckout, button, fillAddress, main, payInCash, signIn, visit } from '../helpers';

const test = base.extend(ownMarket);
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
  await expect(async () => {
    await visit(seller, '/');
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
