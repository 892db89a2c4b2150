import type { APIResponse } from '@playwright/test';

import { expect, test } from '../fixtures';
import { SHOPS } from '../helpers';

/** The directives of the content security policy. */
function policyOf(response: APIResponse): Map<string, string[]> {
  const text = response.headers()['content-security-policy'] ?? '';
  return new Map(
    text
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .map(([name = '', ...values]) => [name, values]),
  );
}

function nonceOf(policy: Map<string, string[]>): string {
  const source = (policy.get('script-src') ?? policy.get('default-src') ?? []).find((value) => value.startsWith("'nonce-"));
  return source?.slice("'nonce-".length, -1) ?? '';
}

for (const path of ['/', '/products', `/shops/${SHOPS[0]}`, '/cart', '/sign-in', '/sign-up', '/no-such-page']) {
  test(`${path} is sent with its security headers`, async ({ page }) => {
    const response = await page.request.get(path);
    const headers = response.headers();
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(headers['content-type']).toMatch(/^text\/html; ?charset=utf-8$/i);

    const policy = policyOf(response);
    const nonce = nonceOf(policy);
    expect(nonce.length, 'a nonce that cannot be guessed').toBeGreaterThanOrEqual(16);
    for (const directive of ['script-src', 'script-src-elem', 'script-src-attr', 'default-src']) {
      expect(policy.get(directive) ?? []).not.toContain("'unsafe-inline'");
      expect(policy.get(directive) ?? []).not.toContain("'unsafe-eval'");
    }
    expect(policy.get('object-src') ?? policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.has('base-uri')).toBe(true);
    expect(policy.has('form-action')).toBe(true);
    expect(policy.get('frame-ancestors') ?? (headers['x-frame-options'] ? ["'none'"] : [])).toEqual(["'none'"]);
    expect(nonceOf(policyOf(await page.request.get(path))), 'a nonce is used once').not.toBe(nonce);

    const html = await response.text();
    for (const [tag] of html.matchAll(/<script\b[^>]*>/gi)) {
      if (/\bsrc=/.test(tag)) continue;
      expect(tag, 'an inline script').toContain(`nonce="${nonce}"`);
    }
    for (const [tag] of html.matchAll(/<[a-z][^>]*>/gi)) expect(tag).not.toMatch(/\son[a-z]+\s*=/i);
  });
}

test('files under /pkg are named by a hash of their content and cached indefinitely', async ({ page }) => {
  const html = await (await page.request.get('/')).text();
  const assets = new Set([...html.matchAll(/["'](\/pkg\/[^"'?#]+)["']/g)].map(([, path]) => path ?? ''));
  const kinds = [...assets].map((path) => path.split('.').at(-1));
  expect(kinds).toEqual(expect.arrayContaining(['css', 'js', 'wasm']));
  for (const path of assets) {
    expect(path, 'a hash in the name').toMatch(/\.[\w-]{8,}\.(css|js|wasm)$/);
    const response = await page.request.get(path);
    expect(response.status(), path).toBe(200);
    const headers = response.headers();
    expect(headers['cache-control'], path).toContain('immutable');
    expect(headers['cache-control'], path).toMatch(/max-age=\d{7,}/);
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    expect(headers['content-encoding'], path).toBe('br');
    if (path.endsWith('.wasm')) expect(headers['content-type']).toBe('application/wasm');
  }
});

test('personal pages are not stored by caches', async ({ page }) => {
  for (const path of ['/cart', '/account', '/sign-in']) {
    const control = (await page.request.get(path, { maxRedirects: 0 })).headers()['cache-control'] ?? '';
    expect(control, path).toMatch(/no-store|private/);
  }
});
