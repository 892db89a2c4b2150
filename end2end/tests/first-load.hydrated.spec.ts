// What a browser downloads at first and later, and that the layout doesn't shift meanwhile.
import { type Page, expect, test } from '../fixtures';
import {
  SELLERS,
  SHOPS,
  addOne,
  arriveAt,
  cartLink,
  beginCheckout,
  button,
  field,
  main,
  operate,
  productLinks,
  signIn,
  title,
  visit,
} from '../helpers';

const signInLink = (page: Page) => page.getByRole('banner').getByRole('link', { name: 'Sign in', exact: true });

const mark = (page: Page) => page.evaluate(() => Object.assign(window, { stayed: true }));
const stayed = (page: Page) => page.evaluate(() => 'stayed' in window);

/** The cumulative layout shift, without shifts caused by user input. */
const shift = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean };
    let sum = 0;
    const add = (entries: PerformanceEntryList) => {
      for (const entry of entries as Shift[]) if (!entry.hadRecentInput) sum += entry.value;
    };
    const observer = new PerformanceObserver((list) => add(list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    // Everything painted so far has been reported after two frames.
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    add(observer.takeRecords());
    return sum;
  });

for (const width of [390, 1280]) {
  test(`nothing shifts while a page loads, ${width} wide`, async ({ page, context }) => {
    await page.setViewportSize({ width, height: 844 });
    const cache = await context.newCDPSession(page);
    await cache.send('Network.enable');
    await cache.send('Network.setCacheDisabled', { cacheDisabled: true });
    await visit(page, '/products');
    const product = (await productLinks(page).first().getAttribute('href')) ?? '';
    await addOne(page, SHOPS[0], 1);
    await beginCheckout(page);
    for (const path of ['/', '/products', product, '/cart', new URL(page.url()).pathname]) {
      expect(await visit(page, path), path).toBe(200);
      expect(await shift(page), path).toBeLessThanOrEqual(0.02);
    }
  });
}

test('a first visit to the home page loads no chunk of other pages', async ({ page }) => {
  const chunks: string[] = [];
  page.on('request', (request) => {
    if (/\/pkg\/(split|chunk)_/.test(request.url())) chunks.push(request.url());
  });
  await visit(page, '/');
  expect(chunks).toEqual([]);
  await mark(page);
  await signInLink(page).click();
  await arriveAt(page, 'Sign in');
  expect(chunks.join()).toMatch(/\/pkg\/split_account\.[\w-]+\.wasm/);
  expect(await stayed(page)).toBe(true);
});

test('the home of the dashboard loads alone, and the pages that usually come next before they are opened', async ({ page }) => {
  await signIn(page, SELLERS[SHOPS[0]]);
  const chunks: string[] = [];
  page.on('request', (request) => chunks.push(/\/pkg\/(split_\w+)\./.exec(request.url())?.[1] ?? ''));
  const ahead = page.waitForResponse(/\/pkg\/split_selling\./);
  await visit(page, `/seller/${SHOPS[0]}`);
  await (await ahead).finished();
  expect(chunks.filter((name) => name !== '')).toEqual(['split_seller', 'split_selling']);
  await mark(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Orders' }).first().click();
  await arriveAt(page, 'Orders');
  expect(await stayed(page)).toBe(true);
});

test('a page of a chunk hydrates on its own, and navigates without a reload', async ({ page }) => {
  await addOne(page, SHOPS[0], 1);
  await visit(page, '/cart');
  await mark(page);
  await signInLink(page).click();
  await arriveAt(page, 'Sign in');
  await cartLink(page, 1).click();
  await arriveAt(page, 'Your basket');
  expect(await stayed(page)).toBe(true);
});

test('a tab whose chunks were replaced continues after one reload', async ({ page, problems }) => {
  problems.allow(/404|WebAssembly|chunk|split_/);
  await visit(page, '/');
  await mark(page);
  let loads = 0;
  page.on('framenavigated', () => (loads += 1));
  await page.route('**/pkg/split_account.*', (route) => route.fulfill({ status: 404, body: '' }), { times: 1 });
  await signInLink(page).click();
  await arriveAt(page, 'Sign in');
  expect(await stayed(page)).toBe(false);
  expect(new URL(page.url()).pathname).toBe('/sign-in');
  expect(loads).toBe(1);
});

test('a page whose chunk cannot be loaded works as the server rendered it', async ({ page, problems }) => {
  problems.allow(/404|WebAssembly|chunk|split_/);
  await page.route('**/pkg/split_account.*', (route) => route.fulfill({ status: 404, body: '' }));
  let loads = 0;
  page.on('framenavigated', () => (loads += 1));
  const refused = page.waitForResponse((response) => response.url().includes('/pkg/split_account.'));
  await page.goto('/sign-in');
  await refused;
  await expect(title(page, 'Sign in')).toBeVisible();
  await field(page, 'Email').fill('nobody@haat.example');
  await field(page, 'Password').fill('not-the-password');
  expect(loads).toBe(1);
  await button(page, 'Sign in').click();
  await expect(main(page).getByText('Incorrect email or password.').first()).toBeVisible();
});

for (const { surface, path, link } of [
  { surface: 'seller', path: `/seller/${SHOPS[0]}`, link: /^Manage/ },
  { surface: 'admin', path: '/admin', link: 'Admin' },
]) {
  test(`the chunk ${surface} comes cold, by the way through the market, and after a deployment`, async ({ page, market, problems }) => {
    if (surface === 'admin') await operate(market, page);
    else await signIn(page, SELLERS[SHOPS[0]]);
    const chunk = new RegExp(`/pkg/split_${surface}\\.`);
    const there = page.waitForResponse((response) => chunk.test(response.url()));
    expect(await visit(page, path)).toBe(200);
    expect((await there).status()).toBe(200);
    const heading = (await page.getByRole('heading', { level: 1 }).textContent()) ?? '';

    const way = page.getByRole('banner').getByRole('link', { name: link });
    await visit(page, '/');
    await mark(page);
    await way.click();
    await arriveAt(page, heading);
    expect(await stayed(page)).toBe(true);

    problems.allow(/404|WebAssembly|chunk|split_/);
    await visit(page, '/');
    await mark(page);
    let loads = 0;
    page.on('framenavigated', () => (loads += 1));
    await page.route(chunk, (route) => route.fulfill({ status: 404, body: '' }), { times: 1 });
    await way.click();
    await arriveAt(page, heading);
    expect(await stayed(page)).toBe(false);
    expect(loads).toBe(1);
  });
}
