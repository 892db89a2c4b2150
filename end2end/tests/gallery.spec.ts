import { expect, runsScripts, test } from '../fixtures';
import { addOne, awake, main, visit } from '../helpers';

const gallery = (page: import('../fixtures').Page) => main(page).getByRole('radiogroup', { name: 'Product images' });

test('a gallery is browsed with the mouse, the keyboard, and without scripts', async ({ page }) => {
  await visit(page, '/shops/meena-crafts');
  await main(page).getByRole('link', { name: 'Set of six tea cups' }).click();
  const shown = gallery(page).getByRole('img', { name: 'Set of six tea cups' });
  const choice = (n: number) => gallery(page).getByRole('radio', { name: `Image ${n} of 2` });
  await expect(choice(1)).toBeChecked();
  await expect(shown).toHaveCount(1);
  const before = await shown.getAttribute('src');
  const place = await shown.boundingBox();

  await gallery(page).locator('label').nth(1).click();
  await expect(choice(2)).toBeChecked();
  await expect(shown).toHaveCount(1);
  expect(await shown.getAttribute('src')).not.toBe(before);
  await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  expect(await shown.boundingBox(), 'nothing moves').toEqual(place);

  await choice(2).press('ArrowLeft');
  await expect(choice(1)).toBeChecked();
  expect(await shown.getAttribute('src')).toBe(before);
});

test('each image opens in large, and Escape closes it', async ({ page }) => {
  await visit(page, '/shops/meena-crafts');
  await main(page).getByRole('link', { name: 'Set of six tea cups' }).click();
  const link = gallery(page).getByRole('link', { name: 'Enlarge image 1 of 2' });
  await expect(link).toHaveAttribute('href', /^\/media\/.*\.jpg$/);
  // Without JavaScript, the browser shows the file.
  if (!runsScripts(page)) return;
  await awake(page);
  await link.press('Enter');
  const large = page.getByRole('dialog', { name: 'Set of six tea cups' });
  await expect(large).toContainText('Image 1 of 2');
  await large.getByRole('button', { name: 'Next' }).click();
  await expect(large).toContainText('Image 2 of 2');
  await page.keyboard.press('ArrowRight');
  await expect(large).toContainText('Image 1 of 2');
  await expect.poll(() => large.getByRole('img').evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  await page.keyboard.press('Escape');
  await expect(large).toBeHidden();
  await expect(link).toBeFocused();
});

test('a product is shared by its link, and says when it should arrive', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visit(page, '/shops/meena-crafts');
  await main(page).getByRole('link', { name: 'Set of six tea cups' }).click();
  await expect(main(page)).toContainText(/Estimated delivery: (Sun|Mon|Tue|Wed|Thu|Fri|Sat),\s\d+\s\w+/);
  if (!runsScripts(page)) return;
  await main(page).getByRole('button', { name: 'Share' }).click();
  await expect(page.locator('.toasts')).toContainText('Link copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
});

test('on a phone the arrow keys bring the next picture into view', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await visit(page, '/shops/meena-crafts');
  await main(page).getByRole('link', { name: 'Set of six tea cups' }).click();
  const second = gallery(page).getByRole('img', { name: 'Set of six tea cups' }).nth(1);
  await expect(second).not.toBeInViewport({ ratio: 0.5 });
  await gallery(page).getByRole('radio').first().press('ArrowRight');
  await expect(second).toBeInViewport({ ratio: 0.95 });
});

test('the basket shows the images of its items', async ({ page }) => {
  await addOne(page, 'meena-crafts', 1);
  await visit(page, '/cart');
  const picture = main(page).locator('.line picture img');
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
});
