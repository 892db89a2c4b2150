// Recommendations on the account page, with and without JavaScript.
import { expect, test } from '../fixtures';
import { SHOPS, addOne, arriveAt, beginCheckout, button, choose, fillAddress, freshEmail, main, payInCash, signUp, visit } from '../helpers';

test('recommendations are turned off and on again', async ({ page }) => {
  await signUp(page, freshEmail());
  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await choose(page, 'cash');
  await payInCash(page);
  await arriveAt(page, 'Thank you for your order');
  await visit(page, '/account');
  const section = main(page).getByRole('region', { name: 'Recommended for you' });
  await expect(section).toContainText('Because of what you bought here.');
  await button(page, 'Turn off recommendations').click();
  await expect(section).toContainText('Recommendations are off.');
  await expect(section.getByRole('listitem')).toHaveCount(0);
  await button(page, 'Turn on recommendations').click();
  await expect(section).toContainText('Recommendations are on.');
  await expect(button(page, 'Turn off recommendations')).toBeVisible();
});
