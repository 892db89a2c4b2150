import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '../fixtures';
import {
  ADDRESS,
  SHOPS,
  addOne,
  arriveAt,
  awake,
  everyPage,
  freshEmail,
  visit,
} from '../helpers';
import type { Page } from '../fixtures';

const choose = async (page: Page, name: string) => {
  await page.getByRole('contentinfo').getByRole('button', { name, exact: true }).click();
  await awake(page);
};

/** Switches to a language that isn't in the footer. */
async function read(page: Page, tag: string): Promise<void> {
  await page.context().addCookies([{ name: 'haat_language', value: tag, url: page.url() }]);
}

test('another language is chosen in the footer, stays, and leads back to the same page', async ({ page }) => {
  await visit(page, '/products?q=lamp');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await choose(page, 'हिन्दी');
  await arriveAt(page, '“lamp” के नतीजे');
  expect(new URL(page.url()).search).toBe('?q=lamp');
  await expect(page.locator('html')).toHaveAttribute('lang', 'hi');
  await visit(page, '/cart');
  await arriveAt(page, 'आपका कार्ट');
  await choose(page, 'English');
  await arriveAt(page, 'Your basket');
});

test.describe('to a browser of India', () => {
  test.use({ locale: 'hi-IN' });

  test('Hindi is shown, and a choice wins', async ({ page }) => {
    await visit(page, '/cart');
    await arriveAt(page, 'आपका कार्ट');
    await choose(page, 'English');
    await arriveAt(page, 'Your basket');
  });
});

test('what is bought in Hindi is confirmed in Hindi', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  await choose(page, 'हिन्दी');
  await page.getByRole('main').getByRole('button', { name: 'चेकआउट पर जाएँ' }).click();
  await arriveAt(page, 'चेकआउट');
  const email = freshEmail();
  const fields = { 'ईमेल': email, 'पूरा नाम': 'आशा राव', 'मकान नंबर, सड़क, एरिया': '12 Lake Road', 'शहर या कस्बा': 'पुणे', 'पिन कोड': '411001' };
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole('radio', { name: 'कैश ऑन डिलीवरी' }).check();
  await page.getByRole('button', { name: /^ऑर्डर करें · ₹[\d,.]+$/ }).first().click();
  await arriveAt(page, 'ऑर्डर के लिए धन्यवाद');
  await expect(page.getByRole('main')).toContainText('आशा राव');
  const mail = await page.context().newPage();
  await expect
    .poll(async () => {
      await mail.goto('/dev/mail');
      return (await mail.getByRole('link').filter({ hasText: email }).allInnerTexts()).join('\n');
    })
    .toContain('के लिए धन्यवाद');
  await mail.close();
});

test('an unknown language is not an error', async ({ page }) => {
  await visit(page, '/');
  await read(page, `xx-${randomBytes(4).toString('hex')}`);
  await visit(page, '/cart');
  await arriveAt(page, 'Your basket');
});

test('every hydrated page loads its strings from one cacheable file', async ({ page, hydrated }) => {
  await visit(page, '/');
  const href = await page.locator('meta#words').getAttribute('content');
  expect(href).toMatch(/^\/words\/en\.[0-9a-f]{16}\.txt$/);
  const answer = await page.request.get(href!);
  expect(answer.headers()['cache-control']).toContain('immutable');
  expect((await page.request.get(href!.replace(/\.[0-9a-f]+\./, '.0000.'))).status()).toBe(404);
  if (hydrated) await expect(page.locator('html')).toHaveAttribute('data-live', '');
});

/** Text written by shops and shoppers isn't translated: every text of the demo, and what the tests type. */
const CONTENT = new Set(
  [
    ...readFileSync(join(import.meta.dirname, '..', '..', 'server', 'demo', 'market.toml'), 'utf8')
      .replaceAll(/"""([^]*?)"""/g, (_, text: string) => JSON.stringify(text))
      .matchAll(/"((?:[^"\\]|\\.)*)"/g),
  ]
    .flatMap(([, text]) => (JSON.parse(`"${text}"`) as string).split('\n'))
    .concat(Object.values(ADDRESS), 'not an address', 'Do you ship abroad?', 'Festival of clay', 'आशा राव', 'पुणे')
    .map((text) => text.trim()),
);

/** All text, visible or for screen readers, that isn't from the locale files: text in the pseudo-locale is in brackets. */
async function escaped(page: Page): Promise<string[]> {
  const read = await page.evaluate(() => {
    const texts = [document.title];
    const body = document.body.cloneNode(true) as HTMLElement;
    // An order number that doesn't break splits its text in three.
    // The titles of notifications are in the language that their recipient had.
    for (const title of body.querySelectorAll('button.row-link')) title.remove();
    // The names of states are data.
    for (const option of body.querySelectorAll('#region option:not([value=""])')) option.remove();
    for (const whole of body.querySelectorAll('span.unbroken')) whole.replaceWith(whole.textContent ?? '');
    body.normalize();
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (!parent?.closest('script, style, noscript, textarea, [translate=no]')) texts.push(walker.currentNode.textContent ?? '');
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) texts.push(element.getAttribute(name) ?? '');
    }
    return texts;
  });
  const unbracketed = (text: string): string => {
    const outside = text.replace(/\[[^[\]]*\]/g, '');
    return outside === text ? text : unbracketed(outside);
  };
  return read
    .map((text) => text.trim())
    .filter((text) => !text.split(' › ').every((part) => CONTENT.has(part)))
    // Currencies and time zones have the same abbreviation in every language, and labels of buttons name their order.
    .filter((text) => /\p{L}{2}/u.test(unbracketed(text).replace(/\(INR\)|\d\d:\d\d\sIST|: H[0-9A-Z]+-\d$/g, '')))
    // Order numbers, email addresses, and composed address lines.
    .filter((text) => !/^H[0-9A-Z]+-\d$|@example\.com$|^Pune(, Maharashtra,)? 411001$|^Maharashtra$/.test(text));
}

test('every string on every page is translated, and nothing overflows from right to left', async ({ page }) => {
  test.setTimeout(600_000);
  const tab = await page.context().newPage();
  const found: Record<string, string[]> = {};
  await everyPage(page, async (name) => {
    if (new URL(page.url()).hostname !== 'localhost') return;
    await read(page, 'en-XA');
    await tab.goto(page.url());
    await awake(tab);
    await expect(tab.locator('html')).toHaveAttribute('lang', 'en-XA');
    const texts = await escaped(tab);
    if (texts.length > 0) found[name] = texts;
    await read(page, 'ar-XB');
    await tab.goto(page.url());
    await awake(tab);
    await expect(tab.locator('html')).toHaveAttribute('dir', 'rtl');
    for (const width of [390, 1280]) {
      await tab.setViewportSize({ width, height: 844 });
      const wider = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(wider, `${name} at ${width}`).toBe(0);
      const shots = process.env.HAAT_SCREENS;
      if (shots) await tab.screenshot({ path: join(shots, `rtl-${name}-${width}.png`), fullPage: true });
    }
    await read(page, 'en');
  });
  expect(found).toEqual({});
});
