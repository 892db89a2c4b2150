// Pictures of every page, narrow and wide, light and dark, into screens/.
import { join } from 'node:path';

import { test } from './fixtures';
import { everyLook, everyPage } from './helpers';

const folder = join(import.meta.dirname, '..', 'screens');

test('pictures of every page', async ({ page }) => {
  let count = 0;
  await everyPage(page, async (name) => {
    count += 1;
    const place = `${String(count).padStart(2, '0')}-${name}`;
    await everyLook(page, async (look) => {
      await page.screenshot({ path: join(folder, `${place}-${look}.png`), fullPage: true });
    });
  });
});
