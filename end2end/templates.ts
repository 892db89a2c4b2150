// The demo market's data, created once per run for each database and copied for each worker: drawing the pictures takes longer
// than most tests.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The variable with the folder of this run's templates, set by the runner for its workers. */
const PLACE = 'HAAT_TEST_TEMPLATES';

function place(): string {
  const folder = process.env[PLACE];
  if (!folder) throw new Error(`${PLACE} is not set: run by Playwright's configuration`);
  return folder;
}

/** This run's template database on PostgreSQL. */
export const templateDatabase = (): string => `haat_${basename(place()).toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`;

/** Playwright's global setup: creates a folder for the templates, and returns how to remove them. */
export default async function setUp(): Promise<() => Promise<void>> {
  process.env[PLACE] = await mkdtemp(join(tmpdir(), 'haat-e2e-templates-'));
  return async () => {
    await rm(place(), { recursive: true, force: true });
    const server = process.env.HAAT_TEST_POSTGRES;
    if (server) await psql(server, `DROP DATABASE IF EXISTS ${templateDatabase()}`);
  };
}

/** Executes a statement on a database server. */
export async function psql(url: string, statement: string): Promise<void> {
  const options = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'];
  await promisify(execFile)('psql', [...options, url, '--command', statement]);
}

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);

/**
 * Fills `folder` with what `make` creates in a folder of its own. The first worker runs it; the others wait. If it fails, it
 * fails for all of them.
 */
export async function fromTemplate(name: string, folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  const template = join(place(), name);
  const [done, failed] = [`${template}.done`, `${template}.failed`];
  const first = await mkdir(template).then(() => true, () => false);
  if (first) {
    await make(template).then(
      () => writeFile(done, ''),
      (error: unknown) => writeFile(failed, String(error)).then(() => Promise.reject(error)),
    );
  }
  while (!(await exists(done))) {
    if (await exists(failed)) throw new Error(`the template ${name} could not be made`);
    await pause(50);
  }
  await cp(template, folder, { recursive: true });
}

