import { defineConfig, devices } from '@playwright/test';

import { launchOptions } from './browser';
import type { Settings } from './fixtures';

const databases = ['sqlite', 'postgres'] as const;
const surfaces = ['hydrated', 'plain'] as const;

const needsScripts = /\.hydrated\.spec\.ts/;
// Each customer flow runs on SQLite, once hydrated and once without JavaScript. The look of a page, its texts, its headers and the
// effect of hostile text depend neither on the database nor on JavaScript being disabled, so these run once, hydrated, where more
// of our code is involved. The use cases are tested on both databases below the browser; here, PostgreSQL only proves that the
// whole system works on it: buying, selling and running the market, hydrated, and buying from a real catalogue, and abroad, without JavaScript.
const once = /(amounts|pages|accessible|headers|missing|icecat|hostile|hostile-dashboard|hostile-products|languages)\.spec\.ts/;
const onPostgres = { hydrated: /(buying|seller|admin|abroad)\.spec\.ts/, plain: /(abroad|icecat)\.spec\.ts/ };

export default defineConfig<object, Settings>({
  testDir: 'tests',
  globalSetup: './templates',
  outputDir: 'test-results',
  forbidOnly: true,
  retries: 0,
  workers: 2,
  // Timeouts catch what hangs, not what is slow: a busy machine must not fail a test.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    launchOptions,
    actionTimeout: 45_000,
    navigationTimeout: 90_000,
    screenshot: 'only-on-failure',
    // Recording every page costs time in every test, and is needed in few.
    trace: process.env.HAAT_TRACE ? 'retain-on-failure' : 'off',
  },
  projects: databases.flatMap((database) =>
    surfaces.map((surface) => ({
      name: `${database}-${surface}`,
      use: { database, javaScriptEnabled: surface === 'hydrated' },
      testMatch: database === 'postgres' ? onPostgres[surface] : undefined,
      testIgnore: surface === 'plain' ? [needsScripts, once] : [],
    })),
  ),
});
