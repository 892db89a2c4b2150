import { expect, test } from '../fixtures';
import { payButton, SHOPS, addOne, addressIsFilledIn, beginCheckout, button, choose, fillAddress, main, openProduct, shopName, thanks } from '../helpers';

test('without a connection, the page says so, keeps the input, and continues afterwards', async ({ page, context, problems }) => {
  problems.allow(/ERR_INTERNET_DISCONNECTED/);
  const notice = page.getByText('You’re offline.', { exact: false });
  const shop = await shopName(page, SHOPS[0]);

  await openProduct(page, SHOPS[0]);
  await expect(notice).toHaveCount(0);
  await context.setOffline(true);
  await expect(notice).toBeVisible();
  await button(page, 'Add to basket').click();
  await expect(main(page).getByRole('alert')).toContainText('We can’t connect right now. Nothing you typed is lost');
  await context.setOffline(false);
  await expect(notice).toHaveCount(0);

  await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await context.setOffline(true);
  await fillAddress(page);
  await choose(page, 'cash');
  await payButton(page).click();
  await expect(main(page).getByRole('alert')).toContainText('We can’t connect right now');
  await addressIsFilledIn(page);
  await context.setOffline(false);
  await payButton(page).click();
  await thanks(page, [shop]);
});
