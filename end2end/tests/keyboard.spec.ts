import { expect, test } from '../fixtures';
import {
  ADDRESS,
  CARDS,
  COUNTRY,
  payButton,
  arriveAt,
  cartLink,
  awake,
  button,
  field,
  main,
  productLinks,
  tabTo,
  title,
  visit,
} from '../helpers';

test('from home to the confirmation by keyboard alone', async ({ page }) => {
  test.setTimeout(240_000);
  await visit(page, '/');

  // The first link that Tab reaches skips the header.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();

  const product = productLinks(page).first();
  await tabTo(page, product);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/p/*');
  await awake(page);

  await tabTo(page, button(page, 'Add to basket'));
  await page.keyboard.press('Enter');
  await expect(cartLink(page, 1)).toBeVisible();

  await tabTo(page, cartLink(page));
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Your basket');

  await tabTo(page, button(page, 'Go to checkout'));
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Checkout');

  for (const [label, value] of Object.entries(ADDRESS)) {
    await tabTo(page, field(page, label));
    await page.keyboard.type(value);
    await expect(field(page, label)).toHaveValue(value);
  }
  await tabTo(page, field(page, 'Country'));
  await page.keyboard.type(COUNTRY);
  await expect(field(page, 'Country').locator('option:checked')).toHaveText(COUNTRY);

  // Tab reaches a radio group once; the arrow keys move within it.
  const radios = main(page).locator('input[name="payment_method"]');
  const card = main(page).getByRole('radio', { name: 'Test card (no real money)' });
  const reached = radios.and(page.locator(':focus'));
  for (let presses = 0; presses < 200 && (await reached.count()) === 0; presses += 1) await page.keyboard.press('Tab');
  for (let presses = 0; presses < 4 && !(await card.evaluate((radio) => radio === document.activeElement)); presses += 1) {
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Space');
  await expect(card).toBeChecked();

  await tabTo(page, payButton(page));
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Sandbox payment');

  await tabTo(page, page.getByLabel('Card number', { exact: true }));
  await page.keyboard.type(CARDS.approve);
  await tabTo(page, page.getByRole('button', { name: /^Pay/ }));
  await page.keyboard.press('Enter');
  await expect(title(page, 'Thank you for your order')).toBeVisible();
});
