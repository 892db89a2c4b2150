// A seller makes a coupon, and a shopper uses it in the basket and at the checkout, with and without JavaScript.
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
  payInCash,
  signIn,
  visit,
} from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];

test('a coupon is made, refused, applied, taken away, and paid with', async ({ page, visitor }) => {
  const seller = await visitor();
  const product = await openProduct(page, SHOP);
  const link = page.url();
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/promotions?edit=new`);
  await field(seller, 'Name').fill('Ten off');
  await field(seller, 'Code (optional)').fill('Ten');
  await field(seller, 'Percentage').fill('10');
  // Only what the type needs is shown.
  await expect(seller.locator('#percent-hint, #amount, #buy')).toHaveCount(3);
  for (const hidden of ['#percent-hint', '#amount', '#buy']) await expect(seller.locator(hidden)).toBeHidden();
  await field(seller, 'Products (optional)').fill(link);
  if (runsScripts(seller)) {
    await field(seller, 'Products (optional)').press('Enter');
    await button(seller, `Remove ${new URL(link).pathname.slice('/p/'.length)}`).click();
    await field(seller, 'Products (optional)').fill(product.slice(0, 5));
    await expect(seller.locator(`#products-found option[value="${product}"]`)).toHaveCount(1);
    await field(seller, 'Products (optional)').fill(product);
    await expect(button(seller, `Remove ${product}`)).toBeVisible();
  }
  await button(seller, 'Save').click();
  await expect(main(seller).getByRole('alert')).toContainText('Promotion created.');
  await expect(main(seller).getByRole('link', { name: 'Ten', exact: true })).toBeVisible();

  await addOne(page, SHOP, 1);
  await visit(page, '/cart');
  await awake(page);
  await field(page, 'Discount code').fill('NINE');
  await button(page, 'Apply').click();
  await expect(main(page).getByRole('alert')).toContainText('This code isn’t valid.');
  await expect(field(page, 'Discount code')).toHaveValue('NINE');
  await awake(page);
  await field(page, 'Discount code').fill('ten');
  await button(page, 'Apply').click();
  await expect(main(page)).toContainText('Ten off (Ten)');

  await beginCheckout(page);
  await expect(main(page)).toContainText('Ten off (Ten)');
  await fillAddress(page);
  // What has been entered stays.
  await button(page, 'Remove Ten').click();
  await expect(main(page)).not.toContainText('Ten off (Ten)');
  await expect(field(page, 'Full name')).not.toHaveValue('');
  await awake(page);
  await field(page, 'Discount code or gift card').fill('TEN');
  await field(page, 'Discount code or gift card').press('Enter');
  await expect(main(page)).toContainText('Ten off (Ten)');
  await awake(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText('Ten off (Ten)');
  await visit(seller, `/seller/${SHOP}/promotions`);
  await expect(main(seller).getByRole('row', { name: /Ten off/ })).toContainText('Active');

  // More of them come from a file; one with an error changes nothing.
  const upload = async (coupons: string) => {
    const buffer = Buffer.from(`code,label,kind,percent\n${coupons}`);
    await field(seller, 'CSV file').setInputFiles({ name: 'coupons.csv', mimeType: 'text/csv', buffer });
    await button(seller, 'Import coupons').click();
  };
  await awake(seller);
  await main(seller).getByText('Import and export coupons').click();
  await upload('NEW,New,percent,20\nHALF,Half,percent,500\n');
  await expect(main(seller).getByRole('alert')).toContainText('Line 3, Percentage: ');
  await expect(main(seller).getByRole('row', { name: /New/ })).toHaveCount(0);
  await awake(seller);
  await upload('NEW,New,percent,20\nHALF,Half,percent,50\n');
  await expect(main(seller).getByRole('alert')).toContainText('Coupons imported: 2 created, 0 updated, 0 unchanged.');
  await expect(main(seller).getByRole('row', { name: /Half/ })).toContainText('Active');
});
