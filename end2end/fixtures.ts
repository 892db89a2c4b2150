// The fixtures of every test: a market, pages whose errors are collected, and a ledger that is verified afterwards.
import { type BrowserContext, type Page, expect, test as base } from '@playwright/test';

import { type Database, Market } from './server';

export { expect };
export type { Page };

/** Set by the project. */
export type Settings = { database: Database };

type ForWorker = Settings & { market: Market };

type ForTest = {
  /** Whether pages run JavaScript. */
  hydrated: boolean;
  /** Collects errors that no page may cause. */
  problems: Problems;
  /** A second visitor: a page in a separate browser context. */
  visitor: () => Promise<Page>;
  /** The books must balance after each test. */
  books: void;
};

/** Browser contexts without JavaScript. */
const plain = new WeakSet<BrowserContext>();

/** Whether the page runs JavaScript. */
export const runsScripts = (page: Page): boolean => !plain.has(page.context());

/** Console errors, failed requests, violations of the content security policy, and server errors. */
export class Problems {
  private readonly seen: { text: string; url: string }[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly pages = new Set<string>();

  /** For tests that cause errors on purpose. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  watch(context: BrowserContext): void {
    context.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' || text.includes('Content Security Policy')) {
        this.seen.push({ text: `console: ${text}`, url: message.location().url });
      }
    });
    context.on('weberror', (error) => {
      const text = String(error.error());
      // The browser ends the transition between two pages when the window is resized or hidden, when the page is
      // left, or when the machine is too busy for it. We only ask for it by CSS, so none of this is ours.
      if (/Error: .*(Transition was |view ?transition)/i.test(text)) return;
      this.seen.push({ text: `uncaught: ${text}`, url: '' });
    });
    context.on('response', (response) => {
      if (response.request().isNavigationRequest()) this.pages.add(response.url());
      if (response.status() >= 500) this.seen.push({ text: `answer: ${response.status()}`, url: response.url() });
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // Requests that are still loading are aborted when the shopper navigates away.
      if (reason === 'net::ERR_ABORTED') return;
      // With JavaScript disabled, the browser refuses to load scripts.
      if (reason === 'csp' && plain.has(context)) return;
      this.seen.push({ text: `request: ${reason}`, url: request.url() });
    });
  }

  list(): string[] {
    return this.seen
      // The browser also logs the status of the page itself, which tests check on purpose.
      .filter(({ text, url }) => !(/Failed to load resource.*status of 4\d\d/.test(text) && this.pages.has(url)))
      .map(({ text, url }) => (url ? `${text} (${url})` : text))
      .filter((line) => !this.allowed.some((pattern) => pattern.test(line)));
  }
}

/**
 * One market per worker. A file that extends `test` with this again gets a market of its own: Playwright tells fixtures apart by
 * their functions, so each call makes another.
 */
export const ownMarket = () => ({
  market: [
    async ({ database }: Settings, use: (market: Market) => Promise<void>) => {
      const market = await Market.open(database);
      await use(market);
      await market.close();
    },
    { scope: 'worker', timeout: 600_000 },
  ] as [(given: Settings, use: (market: Market) => Promise<void>) => Promise<void>, { scope: 'worker'; timeout: number }],
});

export const test = base.extend<ForTest, ForWorker>({
  database: ['sqlite', { option: true, scope: 'worker' }],

  ...ownMarket(),

  baseURL: async ({ market }, use) => use(market.url),

  hydrated: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),

  problems: async ({}, use) => {
    const problems = new Problems();
    await use(problems);
    expect(problems.list(), 'the pages behaved').toEqual([]);
  },

  context: async ({ context, problems, hydrated }, use) => {
    problems.watch(context);
    if (!hydrated) plain.add(context);
    await use(context);
  },

  visitor: async ({ browser, problems, hydrated }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      problems.watch(context);
      if (!hydrated) plain.add(context);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },

  books: [
    async ({ market }, use, testInfo) => {
      market.log();
      await use();
      const log = market.log();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach('server log', { body: log, contentType: 'text/plain' });
      }
      await market.run('ledger', 'verify');
      // Leptos' own rendering tasks may briefly outlive a request (docs/decisions/0004-leptos.md).
      expect(log, 'the server did not panic').not.toMatch(/panicked at (app|server|shared)\/|a handler panicked/);
    },
    { auto: true },
  ],
});
