// Printing: black on white, without navigation, and with nothing cut off, on sheets and on a roll.
import { expect, test } from '../fixtures';
import type { Page } from '../fixtures';
import { openProduct, SELLERS, SHOPS, addOne, arriveAt, beginCheckout, fillAddress, main, payInCash, signIn, thanks, shopName, visit } from '../helpers';

/** Widths in CSS pixels (96 per inch), without the page margins. */
const PAPERS = { A4: 756, Letter: 778, roll: 264 } as const;

/** The page as it is printed from a browser in dark mode. */
async function onPaper(page: Page, look: (paper: string) => Promise<void>): Promise<void> {
  for (const [paper, width] of Object.entries(PAPERS)) {
    await page.setViewportSize({ width, height: 1000 });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    await look(paper);
    for (const gone of ['.header', '.footer', '.office-bar', '.back-office-nav', 'main form', 'main button']) {
      for (const element of await page.locator(gone).all()) await expect(element, `${gone} on ${paper}`).toBeHidden();
    }
    const shown = await page.evaluate(() => {
      const seen = (element: Element) => element.getClientRects().length > 0;
      const own = (element: Element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent?.trim());
      const texts = [...document.querySelectorAll('main *')].filter((e) => seen(e) && own(e) && !e.closest('.hidden'));
      return {
        backs: [document.body, ...document.querySelectorAll('main *')]
          .filter(seen)
          .map((e) => getComputedStyle(e).backgroundColor)
          .filter((c) => !['rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)'].includes(c)),
        inks: texts.map((e) => getComputedStyle(e).color).filter((c) => !['rgb(0, 0, 0)', 'rgb(51, 51, 51)'].includes(c)),
        wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        count: texts.length,
      };
    });
    expect(shown, paper).toMatchObject({ backs: [], inks: [], wider: 0 });
    expect(shown.count, paper).toBeGreaterThan(5);
  }
  await page.emulateMedia({ media: null, colorScheme: null });
  await page.setViewportSize({ width: 1280, height: 900 });
}

test('an order, its packing slip and the purchase can be printed', async ({ page, visitor }) => {
  const names = [await shopName(page, SHOPS[0])];
  const product = await addOne(page, SHOPS[0], 1);
  await beginCheckout(page);
  await fillAddress(page);
  await payInCash(page);
  const bought = await thanks(page, names);
  await onPaper(page, async (paper) => {
    for (const words of [bought.number, product, '12 Lake Road', /^SKU MC-/]) {
      await expect(main(page).getByText(words).first(), `${words} on ${paper}`).toBeVisible();
    }
  });

  const seller = await visitor();
  await signIn(seller, SELLERS[SHOPS[0]]);
  const order = bought.orders[0]!.number;
  expect(await visit(seller, `/seller/${SHOPS[0]}/orders/${order}`)).toBe(200);
  await onPaper(seller, async (paper) => {
    for (const words of [order, product, '12 Lake Road', /^SKU MC-/, /collect ₹/]) {
      await expect(main(seller).getByText(words).first(), `${words} on ${paper}`).toBeVisible();
    }
  });
  await main(seller).getByRole('link', { name: 'Packing slip' }).click();
  await arriveAt(seller, `Packing slip for order ${order}`);
  await onPaper(seller, async (paper) => {
    for (const words of [product, '12 Lake Road', /^SKU MC-/, 'Collect on delivery']) {
      await expect(main(seller).getByText(words).first(), `${words} on ${paper}`).toBeVisible();
    }
    const sizes = await seller.evaluate(() =>
      ['.packed-box', '.collect .price', 'address'].map((s) => {
        const element = document.querySelector(`main ${s}`)!;
        return { box: element.getBoundingClientRect().height, font: parseFloat(getComputedStyle(element).fontSize) };
      }),
    );
    expect(sizes[0]!.box, 'a box to tick').toBeGreaterThanOrEqual(14);
    expect(sizes[1]!.font, 'the cash amount is readable at arm’s length').toBeGreaterThanOrEqual(2 * sizes[2]!.font);
  });
  // A single sheet, and a single page on the roll.
  for (const size of [{ format: 'A4' }, { format: 'Letter' }, { width: '80mm', height: '297mm' }]) {
    const pdf = (await seller.pdf({ ...size, preferCSSPageSize: false })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b/g)?.length, JSON.stringify(size)).toBe(1);
  }
});

test('a product can be printed', async ({ page }) => {
  const product = await openProduct(page, SHOPS[0]);
  await onPaper(page, async (paper) => {
    for (const words of [product, /^₹/, 'Specifications', 'Sold by']) {
      await expect(main(page).getByText(words).first(), `${words} on ${paper}`).toBeVisible();
    }
  });
});
