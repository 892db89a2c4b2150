// A shopper and a shop write to each other: live with JavaScript, by reloading without.
import { type Page, expect, ownMarket, runsScripts, test as base } from '../fixtures';
import { SELLERS, SHOPS, arriveAt, audit, awake, button, field, freshEmail, main, openProduct, operate, signIn, signUp, title, visit } from '../helpers';
import { png } from '../pictures';

const test = base.extend(ownMarket());
const [shop] = SHOPS;
const WRITE = 'Write a message';

const texts = (page: Page) => main(page).locator('.messages .message:not(.waiting) > .bubble .message-text');
const marks = (page: Page) => main(page).locator('.message-mark');

/** What the page shows by now: by itself with JavaScript, and by reloading without. */
async function shows(page: Page, all: (string | RegExp)[]): Promise<void> {
  if (runsScripts(page)) return expect(texts(page)).toHaveText(all);
  // The answer to a form may still be on its way, during which a page can't be loaded again.
  await expect(async () => {
    await page.reload();
    await expect(texts(page)).toHaveText(all, { timeout: 1000 });
  }).toPass();
}

async function write(page: Page, text: string): Promise<void> {
  await field(page, WRITE).fill(text);
  await button(page, 'Send').click();
}

/** A shopper who asked about a product, and the seller who opened the conversation. */
async function asked(page: Page, seller: Page): Promise<string> {
  await signUp(page, freshEmail());
  const product = await openProduct(page, shop);
  await button(page, 'Message the shop').click();
  await expect(title(page, 'Meena Crafts')).toBeVisible();
  await awake(page);
  await write(page, 'Is it <b>glazed</b>?');
  await shows(page, ['Is it <b>glazed</b>?']);
  await signIn(seller, SELLERS[shop]);
  await visit(seller, `/seller/${shop}/messages`);
  await main(seller).getByRole('link', { name: 'Is it <b>glazed</b>?' }).click();
  await shows(seller, ['Is it <b>glazed</b>?']);
  await awake(seller);
  return product;
}

test('a shopper asks about a product, and the shop answers', async ({ page, visitor }) => {
  const seller = await visitor();
  const product = await asked(page, seller);
  await expect(main(seller).locator('.messages').getByRole('link', { name: product })).toBeVisible();
  if (!runsScripts(page)) await page.reload();
  await expect(marks(page)).toHaveText(['Read']);
  await main(seller).getByRole('searchbox').fill('GLAZED');
  await main(seller).getByRole('searchbox').press('Enter');
  await main(seller).getByRole('link', { name: 'Is it <b>glazed</b>?' }).click();
  await main(seller).getByRole('link', { name: 'Latest messages' }).click();
  await awake(seller);
  await write(seller, 'It is. See https://haat.example/care.');
  await shows(page, ['Is it <b>glazed</b>?', 'It is. See https://haat.example/care.']);
  await expect(main(page).getByRole('link', { name: 'https://haat.example/care', exact: true })).toHaveAttribute('rel', /noopener/);
  if (!runsScripts(page)) await seller.reload();
  await expect(marks(seller)).toHaveText(['Read']);

  // The author corrects a message, and takes another one back.
  const edit = main(page).locator('.message-change').first();
  await edit.locator('summary').click();
  await edit.getByLabel('Message', { exact: true }).fill('Is it glazed?');
  await edit.getByRole('button', { name: 'Save' }).click();
  await shows(seller, ['Is it glazed?', /^It is/]);
  await expect(main(seller).locator('.messages')).toContainText('Edited');
  await awake(page);
  await write(page, 'Never mind');
  await shows(seller, ['Is it glazed?', /^It is/, 'Never mind']);
  await shows(page, ['Is it glazed?', /^It is/, 'Never mind']);
  const last = main(page).locator('.message-change').last();
  await last.locator('summary').click();
  await last.getByRole('button', { name: 'Delete' }).click();
  await shows(seller, ['Is it glazed?', /^It is/, 'Message deleted']);

  await audit(page);
  await audit(seller);

  // Who is blocked can't write.
  await button(seller, 'Block').click();
  await expect(main(seller)).toContainText('You have blocked this customer.');
  await awake(seller);
  if (!runsScripts(page)) await page.reload();
  await expect(main(page)).toContainText('This shop doesn’t accept messages from you.');
  await expect(field(page, WRITE)).toHaveCount(0);
  await button(seller, 'Unblock').click();
  await expect(field(seller, WRITE)).toBeVisible();
});

test('a shop answers with a saved answer and a picture, and the shopper sees that it is unread', async ({ page, visitor }) => {
  const seller = await visitor();
  await asked(page, seller);
  await visit(page, '/');
  const conversation = main(seller).getByRole('link', { name: 'Is it <b>glazed</b>?' });
  await visit(seller, `/seller/${shop}/messages`);
  await main(seller).getByText('Add a quick reply').click();
  await field(seller, 'Name').fill('Glaze');
  await main(seller).getByLabel('Message', { exact: true }).first().fill('It has a clear glaze.');
  await main(seller).getByRole('button', { name: 'Save' }).first().click();
  await expect(main(seller)).toContainText('Saved.');
  await audit(seller);
  await conversation.click();
  await awake(seller);
  await main(seller).getByRole('link', { name: 'Glaze', exact: true }).click();
  await expect(field(seller, WRITE)).toHaveValue('It has a clear glaze.');
  await main(seller).getByLabel('Add pictures').setInputFiles(png('bowl.png', [180, 40, 30]));
  if (runsScripts(seller)) await expect(button(seller, 'Remove')).toBeVisible();
  await main(seller).getByLabel('Description for people who can’t see the picture').filter({ visible: true }).fill('A red bowl');
  await button(seller, 'Send').click();
  await shows(seller, ['Is it <b>glazed</b>?', 'It has a clear glaze.']);
  await expect(main(seller).getByRole('img', { name: 'A red bowl' })).toBeVisible();

  await page.reload();
  const messages = page.getByRole('link', { name: /^Messages/ });
  await expect(messages).toHaveText('Messages (1)');
  await messages.click();
  await main(page).getByRole('link', { name: 'It has a clear glaze.' }).click();
  const picture = main(page).getByRole('img', { name: 'A red bowl' });
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await audit(page);
  await page.reload();
  await expect(messages).toHaveText('Messages');
});

test('a shopper reports a message, and an admin who sees nothing else blocks the shop', async ({ page, visitor, market }) => {
  const [seller, admin] = [await visitor(), await visitor()];
  await asked(page, seller);
  await write(seller, 'Pay me by bank transfer.');
  await shows(page, ['Is it <b>glazed</b>?', 'Pay me by bank transfer.']);
  await main(page).locator('.message:not(.own) summary').click();
  await main(page).locator('.message:not(.own)').getByRole('link', { name: 'Report' }).click();
  await expect(main(page).getByRole('heading', { name: 'Report this message' })).toBeVisible();
  await main(page).getByLabel('Reason').selectOption('Asks to pay or deal outside Haat');
  await field(page, 'What happened? (optional)').fill('A transfer!');
  await audit(page);
  await button(page, 'Send report').click();
  await expect(main(page)).toContainText('We’ve received your report.');

  await operate(market, admin);
  await visit(admin, '/admin/reports');
  await expect(main(admin)).toContainText('Pay me by bank transfer.');
  await expect(main(admin)).toContainText('A transfer!');
  await expect(main(admin)).not.toContainText('glazed');
  await audit(admin);
  await main(admin).locator('tbody summary').click();
  await field(admin, 'Note (optional)').fill('Asked for a transfer.');
  await button(admin, 'Resolve and block').click();
  await expect(main(admin)).toContainText('can’t send messages any more');
  await expect(main(admin)).toContainText('Asked for a transfer.');

  await seller.reload();
  await expect(main(seller)).toContainText('You can’t send messages');
  await expect(field(seller, WRITE)).toHaveCount(0);
  await button(admin, 'Unblock').click();
  await expect(main(admin)).toContainText('They can send messages again.');
  await seller.reload();
  await expect(field(seller, WRITE)).toBeVisible();
});

test('guests sign in before they write', async ({ page }) => {
  await openProduct(page, shop);
  await button(page, 'Message the shop').click();
  await arriveAt(page, 'Sign in');
});
