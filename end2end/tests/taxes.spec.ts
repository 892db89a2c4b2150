// An operator adds a tax rate, and a shopper sees the taxes of the address, with and without JavaScript.
import { expect, runsScripts, test as base } from '../fixtures';
import {
  SHOPS,
  addOne,
  arriveAt,
  awake,
  beginCheckout,
  button,
  field,
  fillAddress,
  main,
  operate,
  payInCash,
  visit,
} from '../helpers';
import { Market } from '../server';

// Of its own: the taxes and the shipping of others would change the total while the address is entered.
const test = base.extend<object, { market: Market }>({
  market: [
    async ({ database }, use) => {
      const market = await Market.open(database);
      await use(market);
      await market.close();
    },
    { scope: 'worker', timeout: 600_000 },
  ],
});

test('a rate is added once, and orders say each tax of their address', async ({ market, page, visitor }) => {
  const admin = await visitor();
  await operate(market, admin);
  await visit(admin, '/admin/taxes');
  await expect(main(admin).getByRole('row', { name: /^India standard GST 18%/ })).toBeVisible();
  const add = async (country: string): Promise<void> => {
    await field(admin, 'Country').selectOption({ value: country });
    await field(admin, 'Name').fill('VAT');
    await field(admin, 'Rate in percent').fill('8.1');
    await button(admin, 'Add rate').click();
  };
  await add('CH');
  await expect(main(admin).getByRole('alert')).toContainText('Rate added.');
  await add('CH');
  await expect(main(admin).getByRole('alert')).toContainText('There is already a rate for this place');
  await expect(field(admin, 'Rate in percent')).toHaveValue('8.1');
  if (runsScripts(admin)) {
    await awake(admin);
    await field(admin, 'Buyer’s country').selectOption({ value: 'CH' });
    await expect(main(admin).locator('dl.sums')).toContainText('VAT 8.1%');
  }

  // The shop is in Rajasthan, and the address in Maharashtra.
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(/Includes IGST \d+% ₹\d/);
});
