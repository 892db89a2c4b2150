import { expect, test } from '../fixtures';
import {
  ADDRESS,
  payButton,
  SHOPS,
  addOne,
  addressIsFilledIn,
  arriveAt,
  cartHolds,
  cartLink,
  beginCheckout,
  button,
  choose,
  field,
  main,
  fillAddress,
  freshEmail,
  openProduct,
  quantityOf,
  setQuantity,
  refused,
  thanks,
  shopName,
  visit,
  withoutBrowserChecks,
} from '../helpers';

// A rejected form may be answered with an error status.
test.beforeEach(({ problems }) => problems.allow(/Failed to load resource.*status of 4\d\d/));

for (const quantity of ['0', '-1', '1000', '٣', '', '1.5', '1e2']) {
  test(`a quantity of “${quantity}” is refused and nothing is added`, async ({ page }) => {
    await openProduct(page, SHOPS[0]);
    await withoutBrowserChecks(page);
    await field(page, 'Quantity').fill(quantity);
    await button(page, 'Add to basket').click();
    await refused(field(page, 'Quantity'));
    await expect(field(page, 'Quantity')).toHaveValue(quantity);
    await expect(cartLink(page, 0)).toBeVisible();
    await cartHolds(page, []);
  });
}

test('more than the shop has is not added', async ({ page }) => {
  await openProduct(page, SHOPS[0]);
  await field(page, 'Quantity').fill('999');
  await button(page, 'Add to basket').click();
  await expect(main(page).getByRole('alert')).toContainText(/only \d+ left/);
  await expect(cartLink(page, 0)).toBeVisible();
});

test('the checkout takes the quantities that are typed in the basket', async ({ page }) => {
  const product = await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  await quantityOf(page, product).fill('abc');
  await button(page, 'Go to checkout').click();
  await refused(quantityOf(page, product));
  await quantityOf(page, product).fill('2');
  await button(page, 'Go to checkout').click();
  await arriveAt(page, 'Checkout');
  await expect(main(page)).toContainText('2 ×');
});

test('an invalid quantity in the basket is rejected and the line does not change', async ({ page }) => {
  const product = await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  await withoutBrowserChecks(page);
  await setQuantity(page, product, '-1');
  await refused(quantityOf(page, product));
  await visit(page, '/cart');
  await expect(quantityOf(page, product)).toHaveValue('1');
});

test('a line of the basket is changed and removed', async ({ page }) => {
  const product = await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  await setQuantity(page, product, '2');
  await expect(cartLink(page, 2)).toBeVisible();
  await visit(page, '/cart');
  await expect(quantityOf(page, product)).toHaveValue('2');
  await button(page, /^Remove/).click();
  await expect(cartLink(page, 0)).toBeVisible();
  await cartHolds(page, []);
});

test('an empty checkout says which fields are missing', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await withoutBrowserChecks(page);
  for (const label of Object.keys(ADDRESS)) await field(page, label).fill('');
  await choose(page, 'cash');
  await payButton(page).click();
  for (const label of ['Email', 'Full name', 'Street address', 'Town or city', 'PIN code']) {
    await refused(field(page, label));
  }
  for (const label of ['State (optional)', 'Phone (optional)']) {
    await expect(field(page, label)).not.toHaveAttribute('aria-invalid', 'true');
  }
  await arriveAt(page, 'Checkout');
});

test('a checkout with invalid fields keeps the input, and can be paid once they are valid', async ({ page }) => {
  const name = await shopName(page, SHOPS[0]);
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await withoutBrowserChecks(page);
  const wrong = { Email: 'asha at example', 'Phone (optional)': 'call me', 'Full name': 'Asha <b>"Rao"</b> & Co' };
  await fillAddress(page, wrong);
  await choose(page, 'cash');
  await payButton(page).click();
  await refused(field(page, 'Email'));
  await refused(field(page, 'Phone (optional)'));
  await addressIsFilledIn(page, wrong);
  await expect(page.getByRole('radio', { name: 'Cash on delivery' })).toBeChecked();
  // The input is stored with the checkout, not only on this page.
  await visit(page, new URL(page.url()).pathname);
  await addressIsFilledIn(page, wrong);
  await fillAddress(page, { 'Full name': wrong['Full name'] });
  await choose(page, 'cash');
  await payButton(page).click();
  await thanks(page, [name]);
  await expect(page.getByRole('main')).toContainText(wrong['Full name']);
});

test('a rejected sign-up keeps the name and never the password', async ({ page }) => {
  await visit(page, '/sign-up');
  await withoutBrowserChecks(page);
  await field(page, 'Name').fill('Asha Rao');
  await field(page, 'Email').fill('asha at example');
  await field(page, 'Password').fill('a password that nobody keeps');
  await button(page, 'Create account').click();
  await refused(field(page, 'Email'));
  await expect(field(page, 'Name')).toHaveValue('Asha Rao');
  await expect(field(page, 'Email')).toHaveValue('asha at example');
  await visit(page, page.url());
  await expect(field(page, 'Password')).toHaveValue('');
  expect(await page.content()).not.toContain('a password that nobody keeps');
});

test('an empty sign-in says which fields are missing', async ({ page }) => {
  await visit(page, '/sign-in');
  await withoutBrowserChecks(page);
  await button(page, 'Sign in').click();
  await refused(field(page, 'Email'));
  await refused(field(page, 'Password'));
});

test('a wrong password is refused without saying which of the two is wrong', async ({ page }) => {
  const answers = [];
  for (const email of ['meena@haat.example', freshEmail()]) {
    await visit(page, '/sign-in');
    await field(page, 'Email').fill(email);
    await field(page, 'Password').fill('not the password at all');
    await button(page, 'Sign in').click();
    const message = page.getByText('Incorrect email or password.').first();
    await expect(message).toBeVisible();
    answers.push(await message.innerText());
  }
  expect(answers[0]).toBe(answers[1]);
});
