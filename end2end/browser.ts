// Finds the installed browser.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** CHROMIUM from the environment, or the first Chromium on PATH. */
export function chromium(): string {
  // The headless shell is preferred: the same engine without a window, in two thirds of the time.
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found =
    process.env.CHROMIUM ?? names.flatMap((name) => folders.map((folder) => join(folder, name))).find(executable);
  if (!found) throw new Error('There is no Chromium on PATH: run scripts/tools --test, or set CHROMIUM');
  return found;
}

export const launchOptions = {
  executablePath: chromium(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
};
