import { expect, test } from '../fixtures';
import { arriveAt, audit, looks, visit } from '../helpers';
import { Market } from '../server';

const HTML = { accept: 'text/html' };

test('requests that fail get an error page in the reader’s language', async ({ page, problems }) => {
  problems.allow(/Failed to load resource.*status of 4\d\d|answer: 4\d\d/);
  expect(await visit(page, '/dev/mail/none')).toBe(404);
  await arriveAt(page, 'Page not found');
  await looks(page, () => audit(page));
  await page.getByRole('link', { name: 'Go to homepage' }).click();
  await arriveAt(page, 'Shop from independent sellers');

  const large = await page.request.post('/sign-in', { headers: HTML, form: { email: 'x'.repeat(400_000) } });
  expect(large.status()).toBe(413);
  expect(await large.text()).toContain('That’s too large');
  expect(large.headers()['content-security-policy']).toMatch(/default-src 'none'; style-src 'nonce-/);

  const foreign = await page.request.post('/cart/lines', { headers: { ...HTML, origin: 'https://evil.example' } });
  expect(foreign.status()).toBe(403);
  expect(await foreign.text()).toContain('We couldn’t process your request');

  const hindi = await page.request.get('/sandbox/pay/none', { headers: { ...HTML, 'accept-language': 'hi' } });
  expect(await hindi.text()).toContain('<html lang="hi" dir="ltr">');
  // API clients get only the status.
  const program = await page.request.get('/dev/mail/none', { headers: { accept: 'application/json' } });
  expect([program.status(), await program.text()]).toEqual([404, '']);
});

test('during maintenance, the market says so and stays alive', async ({ page, problems, database }) => {
  problems.allow(/answer: 503|status of 503/);
  const market = await Market.open(database, { HAAT__SERVER__MAINTENANCE: 'true' }, false);
  try {
    for (const path of ['/', '/cart', '/pkg/none.css']) {
      const response = await page.goto(market.url + path);
      expect(response?.status()).toBe(503);
      expect(Number(response?.headers()['retry-after'])).toBeGreaterThan(0);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('We’ll be back soon');
    }
    await looks(page, () => audit(page));
    await expect(page.getByRole('link', { name: 'Try again' })).toHaveAttribute('href', '/pkg/none.css');
    expect((await page.request.post(`${market.url}/api/carts/view`, { data: {} })).status()).toBe(503);
    expect((await page.request.get(`${market.url}/healthz`)).status()).toBe(200);
  } finally {
    await market.close();
  }
});
