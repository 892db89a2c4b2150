// The look and the accessibility of the admin area.
import { expect, test } from '../fixtures';
import { audit, everyAdminPage, looks, operate } from '../helpers';

test('axe finds nothing in the admin area, narrow or wide, light or dark', async ({ page, market }) => {
  test.setTimeout(300_000);
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
