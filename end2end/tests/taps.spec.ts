// How many taps and how much scrolling a purchase takes on a phone.
import { type Locator, devices } from '@playwright/test';

import { expect, test } from '../fixtures';
import { ADDRESS, CARDS, COUNTRY, payButton, arriveAt, button, field, main, productLinks, visit } from '../helpers';
import type { Page } from '../fixtures';

const { viewport: _, defaultBrowserType: __, ...phone } = devices['Pixel 7'];
test.use({ ...phone, viewport: { width: 390, height: 844 } });

const MOST = 9;
const SCREENS = 3;

/** Fills in the whole address at once, as browsers do from the tapped field. */
async function autofill(page: Page): Promise<void> {
  const values = { ...ADDRESS, Country: COUNTRY };
  for (const [label, value] of Object.entries(values)) {
    await field(page, label).evaluate((element, value) => {
      const input = element as HTMLInputElement | HTMLSelectElement;
      const option = input instanceof HTMLSelectElement && [...input.options].find(({ text }) => text === value);
      input.value = option ? option.value : value;
      for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
    }, value);
  }
}

test('from home to paid in nine taps and three screens of checkout', async ({ page, hydrated }) => {
  let taps = 0;
  const tap = async (target: Locator) => {
    taps += 1;
    await target.tap();
  };
  await visit(page, '/');
  await tap(productLinks(page).first());
  await page.waitForURL('**/p/*');
  await tap(button(page, 'Add to basket'));
  // Without JavaScript, the basket opens by itself.
  if (hydrated) await tap(page.getByRole('status').getByRole('link', { name: 'View basket' }));
  await arriveAt(page, 'Your basket');
  await tap(button(page, 'Go to checkout'));
  await arriveAt(page, 'Checkout');
  const end = await main(page).evaluate((element) => element.getBoundingClientRect().bottom + window.scrollY);
  const screens = end / page.viewportSize()!.height;
  expect(screens, 'screens of checkout').toBeLessThanOrEqual(SCREENS);
  await tap(field(page, 'Email'));
  await autofill(page);
  await tap(main(page).getByRole('radio', { name: 'Test card (no real money)' }));
  await tap(payButton(page));
  await arriveAt(page, 'Sandbox payment');
  const card = page.getByLabel('Card number', { exact: true });
  await tap(card);
  await page.keyboard.type(CARDS.approve);
  await tap(page.getByRole('button', { name: /^Pay/ }));
  await arriveAt(page, 'Thank you for your order');
  expect(taps).toBeLessThanOrEqual(MOST);
});
