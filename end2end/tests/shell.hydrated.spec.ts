// The command palette, by keyboard alone, and the settings that the browser keeps.
import { expect, test } from '../fixtures';
import { SELLERS, SHOPS, accountMenu, arriveAt, audit, looks, operate, signIn, signOutButton, visit } from '../helpers';

const SHOP = SHOPS[0];

test('rows of a table are reached, selected and opened by keyboard', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}/products`);
  const rows = page.getByRole('main').locator('tbody tr');
  const link = (nth: number) => rows.nth(nth).locator('.row-link');
  const publish = page.getByRole('button', { name: 'Publish', exact: true });
  await expect(publish).toBeHidden();
  await page.keyboard.press('j');
  await expect(link(0)).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await expect(rows.nth(1).getByRole('checkbox')).toBeChecked();
  await expect(publish).toBeVisible();
  await expect(page.getByRole('main').getByRole('status').filter({ hasText: '1 selected' })).toBeVisible();
  await looks(page, async () => audit(page));
  await page.keyboard.press('k');
  await expect(link(0)).toBeFocused();
  // What is typed into a field stays there.
  const search = page.getByRole('main').getByRole('searchbox');
  await search.focus();
  await page.keyboard.type('jkx');
  await expect(search).toHaveValue('jkx');

  // Switched off, the letters do nothing.
  const keys = async (state: 'On' | 'Off') => {
    await accountMenu(page).locator('summary').click();
    await page.getByRole('group', { name: 'Keyboard shortcuts' }).getByRole('button', { name: state }).click();
    await page.keyboard.press('Escape');
  };
  await keys('Off');
  await page.keyboard.press('j');
  await expect(link(0)).not.toBeFocused();
  await page.reload();
  await page.keyboard.press('j');
  await expect(link(0)).not.toBeFocused();
  await keys('On');
  await link(0).focus();
  const name = await link(0).innerText();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
});

test('the palette goes to pages, orders and products by keyboard alone', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}/products`);
  const product = (await page.getByRole('main').locator('tbody a').first().innerText()).trim();
  const palette = page.getByRole('dialog', { name: 'Search and commands' });
  const input = palette.getByRole('combobox');
  const selected = palette.getByRole('option', { selected: true });

  // It opens and closes, and the focus returns to where it was.
  const search = page.getByRole('banner').getByRole('button', { name: 'Search…' });
  await search.focus();
  await page.keyboard.press('Enter');
  await expect(input).toBeFocused();
  await looks(page, async () => audit(page));
  await page.keyboard.press('Escape');
  await expect(palette).toBeHidden();
  await expect(search).toBeFocused();

  // The arrow keys move, and wrap around.
  await page.keyboard.press('Control+k');
  await expect(input).toBeFocused();
  await expect(selected).toHaveText('Dashboard');
  await page.keyboard.press('ArrowDown');
  await expect(selected).toHaveText('Orders');
  await expect(input).toHaveAttribute('aria-activedescendant', (await selected.getAttribute('id'))!);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(selected).toHaveText('Sign out');
  await page.keyboard.type('sett');
  await expect(selected).toHaveText('Settings');
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Settings');
  await expect(palette).toBeHidden();

  // A product by its title.
  await page.keyboard.press('Control+k');
  await page.keyboard.type(product);
  // Until products are found, the first option searches the orders.
  await expect(selected).toContainText('₹');
  await expect(selected).toContainText(product);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Duplicate' })).toBeVisible();

  // What isn't there, and an action.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('import pro');
  await expect(selected).toHaveText('Import products');
  await page.keyboard.press('Enter');
  await arriveAt(page, 'Import products');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('sign out');
  await expect(selected).toHaveText('Sign out');
  await page.keyboard.press('Enter');
  await expect(palette).toHaveCount(0);
  await expect(signOutButton(page)).toHaveCount(0);
});

test('the palette of the admin area finds users and shops', async ({ page, market }) => {
  const email = await operate(market, page);
  await visit(page, '/admin');
  const palette = page.getByRole('dialog', { name: 'Search and commands' });
  const selected = palette.getByRole('option', { selected: true });
  for (const [typed, found, name] of [
    [email, email, 'Olga Nair'],
    ['meena cr', SHOP, 'Meena Crafts'],
  ] as const) {
    await page.keyboard.press('Control+k');
    await page.keyboard.type(typed);
    await expect(selected).toContainText(found);
    await expect(selected).toContainText(name);
    await page.keyboard.press('Enter');
    await arriveAt(page, name);
    await expect(palette).toBeHidden();
  }
});

test('a menu closes on Escape and on a click beside it', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}`);
  const summary = accountMenu(page).locator('summary');
  for (const close of [() => page.keyboard.press('Escape'), () => page.getByRole('heading', { level: 1 }).click()]) {
    await summary.click();
    await expect(signOutButton(page)).toBeVisible();
    await close();
    await expect(signOutButton(page)).toBeHidden();
  }
});

test('a collapsed sidebar and narrow rows are kept', async ({ page }) => {
  await signIn(page, SELLERS[SHOP]);
  await visit(page, `/seller/${SHOP}/products`);
  const [nav, row] = [page.getByRole('navigation', { name: 'Seller dashboard' }), page.locator('tbody tr').first()];
  const sizes = async () => [(await nav.boundingBox())!.width, (await row.boundingBox())!.height] as const;
  const [wide, high] = await sizes();
  await nav.getByRole('button', { name: 'Collapse sidebar' }).click();
  await accountMenu(page).locator('summary').click();
  await page.getByRole('button', { name: 'Compact' }).click();
  await visit(page, `/seller/${SHOP}/products`);
  const [narrow, low] = await sizes();
  expect(narrow).toBeLessThan(wide / 2);
  expect(low).toBeLessThan(high);
  await audit(page);
  const collapse = nav.getByRole('button', { name: 'Collapse sidebar' });
  await expect(collapse).toHaveAttribute('aria-pressed', 'true');
  await collapse.click();
  expect((await sizes())[0]).toBe(wide);
});

test('the shop can be installed on a phone', async ({ page }) => {
  await visit(page, '/');
  const browser = await page.context().newCDPSession(page);
  const { url, errors, data } = await browser.send('Page.getAppManifest');
  expect([new URL(url).pathname, errors]).toEqual(['/haat.webmanifest', []]);
  const { name, start_url: start, display, icons, shortcuts } = JSON.parse(data!);
  expect([name, start, display]).toEqual(['Haat', '/', 'standalone']);
  for (const { src, sizes } of icons) {
    const icon = await page.request.get(src);
    expect(icon.headers()['content-type'], src).toMatch(/^image\/(png|svg\+xml)$/);
    if (sizes === 'any') continue;
    const width = await page.evaluate(async (from) => {
      const image = new Image();
      image.src = from;
      await image.decode();
      return image.naturalWidth;
    }, src);
    expect(`${width}x${width}`).toBe(sizes);
  }
  // The account asks a guest to sign in.
  for (const { url } of shortcuts) expect([200, 401], url).toContain((await page.request.get(url)).status());
});
