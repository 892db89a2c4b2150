// Suggestions below the search field of the header, by keyboard alone.
import { expect, test } from '../fixtures';
import { audit, awake, main, visit } from '../helpers';

test('what is typed is suggested, and opened by the keyboard', async ({ page }) => {
  // The index is built while the first pages are served.
  await expect(async () => {
    await visit(page, '/products?q=lamp');
    await expect(main(page).locator('.result-count')).toBeVisible({ timeout: 500 });
  }).toPass();
  await visit(page, '/');
  await awake(page);
  const input = page.locator('#search');
  await input.focus();
  await expect(input).toHaveAttribute('role', 'combobox');
  await input.pressSequentially('lam');
  const list = page.getByRole('listbox', { name: 'Suggestions' });
  await expect(list).toBeVisible();
  await expect(input).toHaveAttribute('aria-expanded', 'true');
  await audit(page);
  await input.press('ArrowDown');
  await expect(list.getByRole('option', { selected: true })).toHaveCount(1);
  const first = await input.getAttribute('aria-activedescendant');
  await input.press('ArrowUp');
  await expect(input).not.toHaveAttribute('aria-activedescendant');
  await input.press('Escape');
  await expect(list).toBeHidden();
  await input.press('ArrowDown');
  await expect(input).toHaveAttribute('aria-activedescendant', first ?? '');
  await input.press('Enter');
  await expect(page).toHaveURL(/\/(products\?q=lamp|p\/)/);
});
