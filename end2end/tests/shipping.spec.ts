// A seller ships by zones, and a shopper removes what isn't shipped to their address, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  payInCash,
  shopName,
  signIn,
  visit,
} from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];

test('what isn’t shipped there is removed with one click', async ({ page, visitor, hydrated, problems }) => {
  problems.allow(/409 .*checkout\/pay/);
  const seller = await visitor();
  const named = (name: string) => seller.locator(`[name="${name}"]`);
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/shipping`);
  await main(seller).getByRole('link', { name: 'Everywhere else' }).click();
  await expect(field(seller, 'Zone name')).toHaveValue('Everywhere else');
  await awake(seller);
  await field(seller, 'Zone name').fill('India');
  await field(seller, 'Places').fill('IN');
  await named('standard.by').selectOption('weight');
  await named('standard.rates').fill('2: 50\n*: 90');
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Saved');

  // Another zone may not have the same places, and what was typed stays.
  await visit(seller, `/seller/${SHOP}/shipping?edit=new`);
  await field(seller, 'Zone name').fill('Home');
  await field(seller, 'Places').fill('NP\nIN');
  await named('standard.rates').fill('40');
  if (hydrated) await expect(main(seller)).toContainText('“India” already includes India.');
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Another zone already includes one of these places.');
  await expect(main(seller)).toContainText('“India” already includes India.');
  await expect(field(seller, 'Places')).toHaveValue('NP\nIN');
  await awake(seller);
  await field(seller, 'Places').fill('IN-MH');
  if (hydrated) {
    await field(seller, 'State (optional)').fill('Maharashtra');
    await expect(main(seller)).toContainText('Zone: Home');
    await seller.getByLabel('Country', { exact: true }).selectOption('DE');
    await expect(main(seller)).toContainText('You don’t ship this order there.');
  }
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Zone added.');
  await awake(seller);
  await field(seller, 'Handling time (working days)').fill('1');
  await main(seller).getByLabel('Sun', { exact: true }).uncheck();
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Saved');

  const [shop, other] = [await shopName(page, SHOP), await shopName(page, SHOPS[1])];
  await addOne(page, SHOP, 1);
  await addOne(page, SHOPS[1], 2);
  await visit(page, '/cart');
  await expect(main(page)).toContainText('₹50.00');
  await beginCheckout(page);
  await fillAddress(page);
  // The zone of the state.
  if (!hydrated) await button(page, 'Update').click();
  const from = (name: string) => main(page).getByRole('group', { name: `Shipping from ${name}` });
  await expect(from(shop)).toContainText('₹40.00');
  await expect(from(shop)).toContainText(/Arrives (Mon|Tue|Wed|Thu|Fri|Sat),/);
  await field(page, 'Country').selectOption('DE');
  if (!hydrated) await button(page, 'Update').click();
  const refused = main(page).getByRole('alert').filter({ hasText: `${shop} doesn’t ship these items to this address.` });
  await expect(refused).toBeVisible();
  await awake(page);
  await field(page, 'Postal code').fill('10115');
  await payInCash(page);
  await expect(main(page).getByRole('alert').filter({ hasText: 'Remove these items' }).first()).toBeVisible();
  await awake(page);
  await button(page, 'Remove these items').click();
  await expect(from(other)).toBeVisible();
  await expect(from(shop)).toHaveCount(0);
  await expect(field(page, 'Street address')).toHaveValue('12 Lake Road');
  await expect(field(page, 'Postal code')).toHaveValue('10115');
  await awake(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(other);
});
