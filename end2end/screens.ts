// Pictures of every page, narrow and wide, light and dark, into screens/.
import { join } from 'node:path';

import { test } from './fixtures';
import { everyDeskPage, everyLook, everyPage, operate, signOut, visit } from './helpers';

const folder = join(import.meta.dirname, '..', 'screens');

test('pictures of every page', async ({ page, market }) => {
  let count = 0;
  const take = async (name: string) => {
    count += 1;
    const place = `${String(count).padStart(2, '0')}-${name}`;
    await everyLook(page, async (look) => {
      await page.screenshot({ path: join(folder, `${place}-${look}.png`), fullPage: true });
    });
  };
  await everyPage(page, take);
  await visit(page, '/');
  await signOut(page);
  await operate(market, page);
  await everyDeskPage(page, take);
});
