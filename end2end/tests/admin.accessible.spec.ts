// The look and the accessibility of the admin area.
import { expect, test } from '../fixtures';
import { SHOPS, addOne, audit, beginCheckout, everyAdminPage, fillAddress, looks, operate, payByCard } from '../helpers';

test('axe finds nothing in the admin area, narrow or wide, light or dark', async ({ page, visitor, market }) => {
  test.setTimeout(300_000);
  // So that there are an order and a payment to look at.
  const customer = await visitor();
  await addOne(customer, SHOPS[0], 1);
  await beginCheckout(customer);
  await fillAddress(customer);
  await payByCard(customer, 'approve');
  await operate(market, page);
  await everyAdminPage(page, (name) =>
    test.step(name, () =>
      looks(page, (look) =>
        test.step(look, async () => {
          await audit(page);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          expect.soft(wide, `${name} ${look} is wider than the screen`).toBe(false);
        }),
      ),
    ),
  );
});
