// What a shop is charged, where it takes cash, and ordering the same once more, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  cartLink,
  field,
  fillAddress,
  main,
  operate,
  payByCard,
  shopName,
  signIn,
  thanks,
  visit,
} from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];

test('a category and a shop get a commission of their own', async ({ market, page, visitor }) => {
  const seller = await visitor();
  await Promise.all([operate(market, page), signIn(seller, SELLERS[SHOP])]);
  await visit(page, '/admin/shops');
  await main(page).getByRole('link', { name: 'Commission' }).click();
  await arriveAt(page, 'Commission');
  const form = (name: string) => main(page).getByRole('form', { name });
  await form('Set a category’s rate').getByLabel('Rate in percent').fill('-3');
  await form('Set a category’s rate').getByRole('button', { name: 'Save' }).click();
  await expect(main(page)).toContainText('This is too low. Enter a higher value.');
  await expect(form('Set a category’s rate').getByLabel('Rate in percent')).toHaveValue('-3');
  await awake(page);
  await form('Set a category’s rate').getByLabel('Category').selectOption({ label: 'Groceries' });
  await form('Set a category’s rate').getByLabel('Rate in percent').fill('4.5');
  await form('Set a category’s rate').getByRole('button', { name: 'Save' }).click();
  await expect(main(page).getByRole('row', { name: /Groceries/ })).toContainText('4.5%');
  await visit(seller, `/seller/${SHOP}/settings`);
  const commission = main(seller).getByRole('region', { name: 'Commission' });
  await expect(commission).toContainText('Groceries: 4.5%');
  await awake(page);
  await form('Set a shop’s rate').getByLabel('Shop').fill(SHOP);
  await form('Set a shop’s rate').getByLabel('Rate in percent').fill('2');
  await form('Set a shop’s rate').getByRole('button', { name: 'Save' }).click();
  const own = main(page).getByRole('row', { name: /^Meena/ });
  await expect(own).toContainText('2%');
  await visit(seller, `/seller/${SHOP}/settings`);
  await expect(commission).toContainText('2% commission');
  await expect(commission).not.toContainText('Groceries');
  await awake(page);
  await own.locator('summary').click();
  await expect(own).toContainText('New checkouts use the next rate that applies to Meena');
  await own.getByRole('button', { name: /^Remove Meena/ }).click();
  await expect(own).toHaveCount(0);
});

test('cash is not offered where a shop takes none', async ({ page, visitor, hydrated }) => {
  const seller = await visitor();
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/shipping`);
  await main(seller).getByRole('link', { name: 'Everywhere else' }).click();
  await expect(field(seller, 'Zone name')).toHaveValue('Everywhere else');
  await awake(seller);
  await seller.getByLabel('No cash on delivery here').check();
  await button(seller, 'Save').click();
  await expect(main(seller)).toContainText('No cash on delivery here');

  const [shop, other] = [await shopName(page, SHOP), await shopName(page, SHOPS[1])];
  await addOne(page, SHOP, 1);
  await addOne(page, SHOPS[1], 2);
  await beginCheckout(page);
  await fillAddress(page);
  if (!hydrated) await button(page, 'Update').first().click();
  await expect(main(page)).toContainText(`Cash on delivery isn’t available for this order: ${shop}`);
  await expect(main(page).getByRole('radio', { name: 'Cash on delivery' })).toHaveCount(0);
  await payByCard(page, 'approve');
  const { orders } = await thanks(page, [shop, other]);

  // The same once more, and what is in the basket then.
  await main(page).getByRole('button', { name: `Order again: ${orders[0]!.number}` }).click();
  await arriveAt(page, 'Your basket');
  await expect(main(page)).toContainText('The items of your order are in your basket.');
  await expect(cartLink(page, 1)).toBeVisible();
});
