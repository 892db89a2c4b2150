// An address abroad: the form follows the country, and the order has the label of the country.
import { expect, test } from '../fixtures';
import { SHOPS, addOne, beginCheckout, button, field, fillAddress, main, payInCash } from '../helpers';

test('an address in the United States has a state from a list and the label of the country', async ({ page, hydrated }) => {
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await field(page, 'Country').selectOption('US');
  // With JavaScript, the form follows by itself.
  const update = button(page, 'Update');
  await expect(update).toHaveCount(hydrated ? 0 : 1);
  if (!hydrated) await update.click();
  // What was entered stays, except for the state of India.
  await expect(field(page, 'Street address')).toHaveValue('12 Lake Road');
  await expect(field(page, 'State')).toHaveValue('');
  await field(page, 'State').selectOption({ label: 'Illinois' });
  await field(page, 'Town or city').fill('Springfield');
  await field(page, 'ZIP code').fill('62704');
  await field(page, 'Phone (optional)').fill('(217)\u00a0555-0123 x8');
  await payInCash(page);
  await expect(main(page)).toContainText('Springfield, IL 62704');
  await expect(main(page).getByRole('link', { name: '(217) 555-0123 x8' })).toHaveAttribute('href', 'tel:+12175550123;ext=8');
});
