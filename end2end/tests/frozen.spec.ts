// A browser whose back-forward cache also keeps `no-store` pages, as users' browsers do.
import { journeys } from '../back';
import { launchOptions } from '../browser';
import { SELLERS, SHOPS, awake, signIn, signOut, signOutButton, visit } from '../helpers';
import { expect, test } from '../fixtures';

test.use({ launchOptions: { ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] } });

journeys();

test('after signing out, going back does not show the signed-in page', async ({ page }) => {
  await signIn(page, SELLERS[SHOPS[0]]);
  await expect(signOutButton(page)).toBeVisible();
  await signOut(page);
  await page.goBack({ waitUntil: 'commit' });
  await awake(page);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(signOutButton(page)).toHaveCount(0);
});

test('a page from the back-forward cache is requested again before it is shown', async ({ page }) => {
  await signIn(page, SELLERS[SHOPS[0]]);
  await visit(page, `/seller/${SHOPS[0]}`);
  await signOut(page);
  await page.goBack({ waitUntil: 'commit' });
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in to continue' })).toBeVisible();
  await expect(signOutButton(page)).toHaveCount(0);
});
