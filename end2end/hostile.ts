// Malicious input, and how to check that it does no harm.
import { type Page, expect } from './fixtures';

export const TEXTS = {
  // Breaks out of any context that it may be in, and is short enough to fit into every name field.
  'markup': `"'></textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>`,
  'a template': '{{ 7 * 7 }} ${alert(1)} <!-- ]]> %00 \\u003cscript\\u003e',
  'characters that turn text around': 'Asha \u202eoaR\u2066 ok',
  'a word without an end': 'W'.repeat(10_000),
  'marks and pictures': `Zo${'\u0335\u0300\u0316'.repeat(15)}e 👩‍👩‍👧‍👦🏳️‍🌈 ﷽﷽﷽ \u200b\u2028`,
} as const;

/** No page may open a dialog. */
export function watch(page: Page): void {
  page.on('dialog', (dialog) => {
    throw new Error(`a dialog opened: ${dialog.message()}`);
  });
}

/** No input became part of the page's markup, and the page is no wider than the screen. */
export async function harmless(page: Page): Promise<void> {
  const found = await page.evaluate(() => {
    const live = '[onerror], [onfocus], img[src="x"], script:not([src]):not([nonce])';
    const elements = [...document.querySelectorAll(live)].map((element) => element.outerHTML);
    const scripts = [...document.scripts].map((script) => script.text.trim()).filter((text) => text === 'alert(1)');
    const { scrollWidth, clientWidth } = document.documentElement;
    return { elements, scripts, wider: scrollWidth - clientWidth };
  });
  expect(found).toEqual({ elements: [], scripts: [], wider: 0 });
}
