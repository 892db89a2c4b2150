import { defineConfig, devices } from '@playwright/test';

import { launchOptions } from './browser';
import type { Settings } from './fixtures';

const databases = ['sqlite', 'postgres'] as const;
const surfaces = ['hydrated', 'plain'] as const;

// How a page looks and is read aloud does not depend on the database.
const ofThePageAlone = /accessible\.spec\.ts/;
const needsScripts = /\.hydrated\.spec\.ts/;

export default defineConfig<object, Settings>({
  testDir: 'tests',
  outputDir: 'test-results',
  forbidOnly: true,
  retries: 0,
  workers: 2,
  // Bounds of what hangs, not of what is slow: a busy machine must not fail a test.
  timeout: 300_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    launchOptions,
    actionTimeout: 45_000,
    navigationTimeout: 90_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: databases.flatMap((database) =>
    surfaces.map((surface) => ({
      name: `${database}-${surface}`,
      use: { database, javaScriptEnabled: surface === 'hydrated' },
      testIgnore: [
        ...(surface === 'plain' ? [needsScripts] : []),
        ...(database === 'postgres' ? [ofThePageAlone] : []),
      ],
    })),
  ),
});
