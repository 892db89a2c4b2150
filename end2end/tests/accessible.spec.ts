import { test } from '../fixtures';
import { audit, everyLook, everyPage } from '../helpers';

test('axe finds nothing serious on any page, narrow or wide, light or dark', async ({ page }) => {
  test.setTimeout(600_000);
  await everyPage(page, (name) =>
    test.step(name, () => everyLook(page, (look) => test.step(look, () => audit(page)))),
  );
});
