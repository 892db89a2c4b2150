// An operator sets exchange rates, and a shopper sees prices and pays in another currency, with and without JavaScript.
import { expect, ownMarket, runsScripts, test as base } from '../fixtures';
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
  openProduct,
  operate,
  payByCard,
  signIn,
  visit,
} from '../helpers';

const test = base.extend(ownMarket());

test('a shopper pays in the currency that they chose', async ({ market, page, visitor }) => {
  await market.restart({ HAAT__MARKET__CURRENCIES: 'USD JPY' });
  const admin = await visitor();
  await operate(market, admin);
  await visit(admin, '/admin/currencies');
  await field(admin, 'Rates').fill('USD,0.0116\nJPY,0');
  await button(admin, 'Import rates').click();
  await expect(main(admin).getByRole('alert').first()).toContainText('Line 2 can’t be read');
  await expect(field(admin, 'Rates')).toHaveValue(/JPY,0$/);
  await field(admin, 'Rates').fill('USD,0.0116');
  await button(admin, 'Import rates').click();
  await expect(main(admin).getByRole('alert')).toContainText('Rates imported.');
  const usd = main(admin).getByRole('row', { name: /^USD/ });
  await expect(usd).toContainText('1 INR = 0.0116 USD');
  if (runsScripts(admin)) {
    await awake(admin);
    await field(admin, 'An example amount in INR').fill('2000');
    await expect(usd).toContainText('$23.20');
  }
  await expect(main(admin).getByRole('row', { name: /^JPY/ })).toContainText('Not offered');
  // A rate that is probably a mistake is asked about.
  await field(admin, 'Rates').fill('USD,11.6');
  await button(admin, 'Import rates').click();
  await expect(main(admin)).toContainText('The rate of USD was 0.0116. Is 11.6 right?');
  await expect(main(admin).getByLabel('Yes, set these rates')).not.toBeChecked();
  await field(admin, 'Rates').fill('USD,0.0117');
  await button(admin, 'Import rates').click();
  await expect(usd).toContainText('1 INR = 0.0117 USD');

  await openProduct(page, SHOPS[0]);
  await expect(main(page).getByText(/₹\d/).first()).toBeVisible();
  const currencies = page.getByRole('contentinfo').getByRole('form', { name: 'Currency of prices' });
  await expect(currencies.getByRole('button')).toHaveText(['INR', 'USD']);
  await currencies.getByRole('button', { name: 'USD' }).click();
  await expect(currencies.getByRole('button', { name: 'USD' })).toHaveAttribute('aria-current', 'true');
  await expect(main(page).getByText(/\$\d/).first()).toBeVisible();
  await expect(main(page)).not.toContainText('₹');
  await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  const total = await main(page).locator('.sums-total dd').innerText();
  expect(total).toMatch(/^\$\d/);
  await beginCheckout(page);
  await expect(main(page).locator('.sums-total dd')).toHaveText(total);
  await fillAddress(page);
  await payByCard(page, 'approve');
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page).locator('.sums-total dd').first()).toHaveText(total);

  // The seller's own price counts instead of the converted one.
  const name = await openProduct(page, SHOPS[0]);
  const product = page.url();
  const seller = await visitor();
  await signIn(seller, SELLERS[SHOPS[0]]);
  await visit(seller, `/seller/${SHOPS[0]}/products?q=${encodeURIComponent(name)}`);
  await main(seller).locator('tbody a').first().click();
  await expect(button(seller, 'Duplicate')).toBeVisible();
  await awake(seller);
  await main(seller).getByRole('link', { name: 'Prices in other currencies' }).click();
  await arriveAt(seller, 'Prices in other currencies');
  await main(seller).getByRole('link', { name: 'USD' }).click();
  await expect(main(seller)).toContainText(/Converted: \$\d/);
  await awake(seller);
  const price = main(seller).locator('input[name^="prices."]').first();
  await price.fill('cheap');
  await button(seller, 'Save').click();
  await expect(main(seller)).toContainText('Enter an amount');
  await expect(price).toHaveValue('cheap');
  await awake(seller);
  await price.fill('9.99');
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Saved');
  await expect(price).toHaveValue('9.99');
  await page.goto(product);
  await expect(main(page).getByText('$9.99').first()).toBeVisible();

  await usd.locator('summary').click();
  await expect(usd).toContainText('can’t pay in USD until it has a rate again');
  await button(admin, 'Remove USD').click();
  await expect(main(admin).getByRole('alert')).toContainText('Rate removed.');
  await expect(usd).toContainText('Not offered');
});
