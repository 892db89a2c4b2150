// What every test gets: a market, pages that are watched, and books that are checked afterwards.
import { type BrowserContext, type Page, expect, test as base } from '@playwright/test';

import { type Database, Market } from './server';

export { expect };
export type { Page };

/** Set by the project. */
export type Settings = { database: Database };

type ForWorker = Settings & { market: Market };

type ForTest = {
  /** Whether pages run scripts. */
  hydrated: boolean;
  /** Gathers what no page may cause. */
  problems: Problems;
  /** Another person: a page of a browser context that shares nothing with the others. */
  visitor: () => Promise<Page>;
  /** After each test the books must balance. */
  books: void;
};

/** Browser contexts whose pages run no scripts. */
const plain = new WeakSet<BrowserContext>();

/** Whether the page runs scripts. */
export const runsScripts = (page: Page): boolean => !plain.has(page.context());

/** Errors in the console, requests that failed, violations of the content security policy, faults of the server. */
export class Problems {
  private readonly seen: { text: string; url: string }[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly pages = new Set<string>();

  /** For tests that cause some on purpose. */
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
    context.on('weberror', (error) => this.seen.push({ text: `uncaught: ${error.error()}`, url: '' }));
    context.on('response', (response) => {
      if (response.request().isNavigationRequest()) this.pages.add(response.url());
      if (response.status() >= 500) this.seen.push({ text: `answer: ${response.status()}`, url: response.url() });
    });
    context.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // What a page still loads when the shopper goes on is dropped.
      if (reason === 'net::ERR_ABORTED') return;
      // Where scripts are off, the browser refuses to load them.
      if (reason === 'csp' && plain.has(context)) return;
      this.seen.push({ text: `request: ${reason}`, url: request.url() });
    });
  }

  list(): string[] {
    return this.seen
      // The browser also logs the status of a page itself; the tests look at that status on purpose.
      .filter(({ text, url }) => !(/Failed to load resource.*status of 4\d\d/.test(text) && this.pages.has(url)))
      .map(({ text, url }) => (url ? `${text} (${url})` : text))
      .filter((line) => !this.allowed.some((pattern) => pattern.test(line)));
  }
}

/** A market for each worker. A file that extends `test` with it once more has one that no other file meets. */
export const ownMarket = {
  market: [
    async ({ database }: Settings, use: (market: Market) => Promise<void>) => {
      const market = await Market.open(database);
      await use(market);
      await market.close();
    },
    { scope: 'worker', timeout: 600_000 },
  ] as [(given: Settings, use: (market: Market) => Promise<void>) => Promise<void>, { scope: 'worker'; timeout: number }],
};

export const test = base.extend<ForTest, ForWorker>({
  database: ['sqlite', { option: true, scope: 'worker' }],

  ...ownMarket,

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
      // Leptos' own rendering tasks may outlive a request by a moment (docs/decisions/0004-leptos.md).
      expect(log, 'the server did not panic').not.toMatch(/panicked at (app|server|shared)\/|a handler panicked/);
    },
    { auto: true },
  ],
});
