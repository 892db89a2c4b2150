// A seller plans a sale, and a shopper sees it and pays its price, with and without JavaScript.
import { expect, ownMarket, test as base } from '../fixtures';
import { SELLERS, SHOPS, addOne, arriveAt, awake, beginCheckout, button, fillAddress, field, main, openProduct, payInCash, refused, signIn, visit } from '../helpers';

const test = base.extend(ownMarket());
const SHOP = SHOPS[0];

test('a sale is planned, seen, paid and ended', async ({ page, visitor }) => {
  const seller = await visitor();
  await openProduct(page, SHOP);
  const title = (await page.getByRole('heading', { level: 1 }).innerText()).trim();
  const before = (await main(page).locator('.product-price .price').first().innerText()).trim();
  await signIn(seller, SELLERS[SHOP]);
  await visit(seller, `/seller/${SHOP}/products`);
  await main(seller).getByRole('link', { name: title, exact: true }).click();
  await main(seller).getByRole('link', { name: 'Sales', exact: true }).click();
  await arriveAt(seller, 'Sales');
  await field(seller, 'Percentage off (optional)').fill('100');
  await field(seller, 'Ends').fill(`${new Date().getFullYear() + 1}-12-01T10:00`);
  await button(seller, 'Plan a sale').click();
  await refused(field(seller, 'Percentage off (optional)'));
  await awake(seller);
  await field(seller, 'Percentage off (optional)').fill('50');
  await button(seller, 'Plan a sale').click();
  await expect(main(seller).getByRole('alert')).toContainText('Sale planned.');
  await expect(main(seller).locator('tbody tr')).toContainText('Active');

  await page.reload();
  await awake(page);
  await expect(main(page).locator('.product-price s')).toContainText(before);
  const now = (await main(page).locator('.product-price .price').first().innerText()).trim();
  expect(now).not.toBe(before);
  await expect(main(page)).toContainText(`Lowest price of the last 30 days before the reduction: ${before}`);
  await addOne(page, SHOP, 1);
  await beginCheckout(page);
  await expect(main(page).locator('.sums').last()).toContainText(`Subtotal${now}`);
  // It ends while the customer pays: what they have seen counts.
  await awake(seller);
  await button(seller, /^End now/).click();
  await expect(main(seller).getByRole('alert')).toContainText('Sale ended.');
  await fillAddress(page);
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await expect(main(page)).toContainText(now);
});
