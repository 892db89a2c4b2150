// Malicious text in every field that a shopper can fill in.
import { expect, test } from '../fixtures';
import {
  ADDRESS,
  PASSWORD,
  payButton,
  SHOPS,
  addOne,
  beginCheckout,
  button,
  choose,
  field,
  fillAddress,
  freshEmail,
  main,
  openProduct,
  payInCash,
  quantityOf,
  setQuantity,
  refused,
  shopName,
  signOutButton,
  thanks,
  visit,
  withoutBrowserChecks,
} from '../helpers';
import { TEXTS, harmless, watch } from '../hostile';

test.use({ viewport: { width: 390, height: 844 } });

test.beforeEach(async ({ page, problems }) => {
  problems.allow(/Failed to load resource.*status of 4\d\d/);
  watch(page);
});

for (const [name, text] of Object.entries(TEXTS)) {
  test.describe(name, () => {
    test('in the search', async ({ page }) => {
      for (const words of [text, text.slice(0, 60)]) {
        expect(await visit(page, `/products?q=${encodeURIComponent(words)}`)).toBeLessThan(500);
        await harmless(page);
      }
    });

    test('in the quantity', async ({ page }) => {
      await openProduct(page, SHOPS[0]);
      await withoutBrowserChecks(page);
      await field(page, 'Quantity').fill(text);
      await button(page, 'Add to basket').click();
      await refused(field(page, 'Quantity'));
      await harmless(page);

      const product = await addOne(page, SHOPS[0], 1);
      await visit(page, '/cart');
      await withoutBrowserChecks(page);
      await setQuantity(page, product, text);
      await refused(quantityOf(page, product));
      await harmless(page);
    });

    test('in the name and the address of an account', async ({ page }) => {
      await visit(page, '/sign-up');
      await withoutBrowserChecks(page);
      await field(page, 'Name').fill(text);
      await field(page, 'Email').fill(text);
      await field(page, 'Password').fill(text);
      await button(page, 'Create account').click();
      await refused(field(page, 'Email'));
      await harmless(page);

      await visit(page, '/sign-up');
      await withoutBrowserChecks(page);
      await field(page, 'Name').fill(text);
      await field(page, 'Email').fill(freshEmail());
      await field(page, 'Password').fill(PASSWORD);
      await button(page, 'Create account').click();
      // It is accepted as it is or rejected at its field; either way, the page says so.
      await expect(signOutButton(page).or(page.getByRole('alert'))).toBeVisible();
      await harmless(page);
      expect(await visit(page, '/account')).toBeLessThan(500);
      await harmless(page);
    });

    test('in every field of the checkout', async ({ page }) => {
      const shop = await shopName(page, SHOPS[0]);
      await addOne(page, SHOPS[0], 1);
      const checkout = await beginCheckout(page);
      await withoutBrowserChecks(page);
      for (const label of Object.keys(ADDRESS)) await field(page, label).fill(text);
      await choose(page, 'cash');
      await payButton(page).click();
      await refused(field(page, 'Email'));
      await harmless(page);
      expect(await visit(page, checkout)).toBe(200);
      await harmless(page);

      // Text that is allowed on an address label is kept throughout, as plain text.
      const typed = text.length <= 100 && !/[\u202e\u2028]/.test(text) ? text : 'Asha';
      await fillAddress(page, { 'Full name': typed, 'Street address': typed, 'Town or city': typed });
      await payInCash(page);
      await thanks(page, [shop]);
      await expect(main(page)).toContainText(typed.trim());
      await harmless(page);
    });
  });
}
