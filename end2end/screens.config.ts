import { defineConfig } from '@playwright/test';

import type { Settings } from './fixtures';
import base from './playwright.config';

// Screenshots for people to look at: `make screens`.
export default defineConfig<object, Settings>({
  ...base,
  testDir: '.',
  testMatch: 'screens.ts',
  timeout: 600_000,
  projects: [{ name: 'screens', use: { database: 'sqlite' } }],
});
