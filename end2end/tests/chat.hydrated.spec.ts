// Conversations while the wire is cut, in two tabs, and while the other side types.
import { type Page, expect, ownMarket, test as base } from '../fixtures';
import { SELLERS, SHOPS, awake, button, field, freshEmail, main, signIn, signUp, visit } from '../helpers';

const test = base.extend(ownMarket());
const [shop] = SHOPS;

const texts = (page: Page) => main(page).locator('.messages .message:not(.waiting) > .bubble .message-text');

async function write(page: Page, text: string): Promise<void> {
  await field(page, 'Write a message').fill(text);
  await field(page, 'Write a message').press('Enter');
}

test('what is written offline arrives once and in order, in every window', async ({ page, visitor, problems }) => {
  problems.allow(/net::ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch|ERR_FAILED/);
  const seller = await visitor();
  await signUp(page, freshEmail());
  await visit(page, `/shops/${shop}`);
  await button(page, 'Message the shop').click();
  await awake(page);
  await write(page, 'Hello');
  await expect(texts(page)).toHaveText(['Hello']);
  await signIn(seller, SELLERS[shop]);
  await visit(seller, `/seller/${shop}/messages`);
  await main(seller).getByRole('link', { name: 'Hello' }).click();
  await expect(texts(seller)).toHaveText(['Hello']);
  const second = await page.context().newPage();
  await visit(second, page.url());
  await expect(texts(second)).toHaveText(['Hello']);

  await field(seller, 'Write a message').pressSequentially('Good mo');
  await expect(main(page)).toContainText('is typing…');
  await write(seller, 'Good morning');
  for (const window of [page, second, seller]) await expect(texts(window)).toHaveText(['Hello', 'Good morning']);
  await expect(main(page)).not.toContainText('is typing…');

  await page.context().setOffline(true);
  const lines = Array.from({ length: 10 }, (_, n) => `Line ${n + 1}`);
  for (const line of lines) await write(page, line);
  await expect(main(page).locator('.waiting')).toHaveCount(10);
  await expect(main(page).locator('.waiting').first()).toContainText('Waiting for a connection');
  await write(seller, 'Are you there?');
  await expect(texts(seller)).toHaveText(['Hello', 'Good morning', 'Are you there?']);
  await page.context().setOffline(false);
  for (const window of [page, second, seller]) {
    await expect(texts(window)).toHaveText(['Hello', 'Good morning', 'Are you there?', ...lines]);
    await expect(main(window).locator('.waiting')).toHaveCount(0);
  }
  await page.reload();
  await expect(texts(page)).toHaveText(['Hello', 'Good morning', 'Are you there?', ...lines]);
});
