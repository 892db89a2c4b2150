// The accessibility of every page: checked by axe, and with text at 200 %. One walk for both.
import { expect, test } from '../fixtures';
import { audit, everyPage, looks } from '../helpers';
import type { Page } from '../fixtures';

/** Text that is cut off or overlaps other text, and by how much the page is wider than the window. */
function broken(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const hidden = (element: Element) =>
      // Elements in a closed `details` still have boxes.
      !element.checkVisibility() || element.closest('.hidden, .skip, select, [aria-hidden=true], script, style');
    const fixed = (element: Element) => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        if (['fixed', 'sticky'].includes(getComputedStyle(at).position)) return true;
      }
      return false;
    };
    // The part of the box that isn't cut off, if any.
    const seen = (element: Element, rect: DOMRect): DOMRect | undefined => {
      const box = clips(element)?.getBoundingClientRect();
      if (!box) return rect;
      const [left, right] = [Math.max(rect.left, box.left), Math.min(rect.right, box.right)];
      const [top, bottom] = [Math.max(rect.top, box.top), Math.min(rect.bottom, box.bottom)];
      return right > left && bottom > top ? new DOMRect(left, top, right - left, bottom - top) : undefined;
    };
    const clips = (element: Element | null): Element | undefined => {
      for (let at = element; at; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return at;
    };
    const texts: { element: Element; rect: DOMRect; text: string }[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const element = node.parentElement;
      if (!element || !node.textContent?.trim() || hidden(element) || fixed(element)) continue;
      range.selectNodeContents(node);
      for (const whole of range.getClientRects()) {
        const rect = seen(element, whole);
        if (rect) texts.push({ element, rect, text: node.textContent.trim().slice(0, 40) });
      }
    }
    const over: string[] = [];
    for (const [i, a] of texts.entries()) {
      for (const b of texts.slice(i + 1)) {
        const width = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
        const height = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
        const shallow = Math.min(a.rect.height, b.rect.height) * 0.4;
        if (a.element !== b.element && width > 2 && height > shallow) over.push(`“${a.text}” over “${b.text}”`);
      }
    }
    // Titles in lists are clamped to two lines on purpose; names in the top bar and in tables end in an ellipsis.
    const meant = (element: Element) => {
      const { textOverflow, webkitLineClamp } = getComputedStyle(element);
      return textOverflow === 'ellipsis' || (webkitLineClamp !== 'none' && webkitLineClamp !== '');
    };
    const cut = [...document.querySelectorAll('body *')]
      .filter((element) => !hidden(element) && !meant(element) && !element.closest('svg'))
      .filter((element) => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX) && element.textContent?.trim())
      .filter((element) => element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)
      .map((element) => element.outerHTML.slice(0, 100));
    const { scrollWidth, clientWidth } = document.documentElement;
    return { over, cut, wider: scrollWidth - clientWidth };
  });
}

test('axe finds nothing on any page, and with text at 200 % nothing is cut or overlaps', async ({ page }) => {
  test.setTimeout(600_000);
  await everyPage(page, (name) =>
    test.step(name, () =>
      looks(page, async (look) => {
        await audit(page);
        await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
        expect.soft(await broken(page), `${name} ${look}`).toEqual({ over: [], cut: [], wider: 0 });
        const shots = process.env.HAAT_SCREENS;
        if (shots) await page.screenshot({ path: `${shots}/large-${name}-${look}.png`, fullPage: true });
        await page.evaluate(() => document.documentElement.style.removeProperty('font-size'));
      }),
    ),
  );
});
