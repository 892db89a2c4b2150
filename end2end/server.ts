// A market for each worker: a fresh database, the demo shops, free ports.
import { type ChildProcess, type ExecException, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { fromTemplate, psql, templateDatabase } from './templates';

const exec = promisify(execFile);
const repository = dirname(dirname(fileURLToPath(import.meta.url)));

export type Database = 'sqlite' | 'postgres';

/** HAAT_BIN, or the output of scripts/build. */
function program(): string {
  const cache = process.env.HAAT_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'haat');
  return process.env.HAAT_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(cache, 'target'), 'quick', 'haat');
}

/** A program beside it. */
export function built(name: string): string {
  return join(dirname(program()), name);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** The PostgreSQL server, as its superuser. */
function postgres(): string {
  const server = process.env.HAAT_TEST_POSTGRES;
  if (!server) throw new Error('HAAT_TEST_POSTGRES is not set: run under scripts/with-postgres');
  return server;
}

/** The URL of a database: a file in the folder, or one on the server. */
function databaseUrl(kind: Database, name: string): string {
  if (kind === 'sqlite') return 'sqlite:haat.db';
  const url = new URL(postgres());
  url.pathname = `/${name}`;
  return url.href;
}

/** The environment of `haat`, except for the settings of where a market is served. */
function inherited(database: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('HAAT__'));
  return {
    ...Object.fromEntries(own),
    HAAT__DATABASE__URL: database,
    HAAT__PAYMENTS__SANDBOX: 'true',
    HAAT_ADMIN_PASSWORD: 'market-day-2026',
  };
}

async function run(folder: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  // Catches what hangs: on a busy machine, importing a catalogue takes minutes.
  const timeout = 600_000;
  try {
    const { stdout } = await exec(program(), args, { cwd: folder, env, timeout });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message, killed } = error as ExecException;
    const why = killed ? `was stopped after ${timeout / 1000} seconds` : `failed: ${message}`;
    throw new Error(`haat ${args.join(' ')} ${why}\n${stdout}${stderr}`.slice(0, 8000));
  }
}

/** A database, with its files in the folder: empty, or with the demo data, which are created once per run. */
async function freshDatabase(
  kind: Database,
  folder: string,
  demo: boolean,
): Promise<{ url: string; drop: () => Promise<void> }> {
  const template = templateDatabase();
  if (demo) {
    await fromTemplate(kind, folder, async (folder) => {
      if (kind === 'postgres') await psql(postgres(), `CREATE DATABASE ${template}`);
      const env = inherited(databaseUrl(kind, template));
      await run(folder, env, 'migrate');
      await run(folder, env, 'seed', '--demo', '--without-orders');
    });
  }
  const name = `haat_${randomBytes(6).toString('hex')}`;
  const url = databaseUrl(kind, name);
  if (kind === 'sqlite') return { url, drop: async () => {} };
  await psql(postgres(), `CREATE DATABASE ${name} TEMPLATE ${demo ? template : 'template1'}`);
  return { url, drop: () => psql(postgres(), `DROP DATABASE ${name} WITH (FORCE)`) };
}

export class Market {
  private server?: ChildProcess;
  private ended = '';
  private written = '';

  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly drop: () => Promise<void>,
    /** The URL of the storefront. */
    readonly url: string,
    /** The host name of the sandbox gateway's pages. */
    readonly sandboxHost: string,
  ) {}

  /** `extra` is set only in the server's environment. Without `demo`, the market is empty. */
  static async open(kind: Database, extra: NodeJS.ProcessEnv = {}, demo = true): Promise<Market> {
    const folder = await mkdtemp(join(tmpdir(), 'haat-e2e-'));
    const { url: database, drop } = await freshDatabase(kind, folder, demo);
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const sandboxHost = `127.0.0.1:${port}`;
    const env = {
      ...inherited(database),
      HAAT__SERVER__BIND: `127.0.0.1:${port}`,
      HAAT__SERVER__PUBLIC_URL: url,
      HAAT__SERVER__SITE_ROOT: join(repository, 'target', 'site'),
      HAAT__PAYMENTS__SANDBOX_URL: `http://${sandboxHost}`,
      HAAT__MARKET__GIFT_CARD_AMOUNTS: '500 1000 2500 5000',
      // All tests send many requests from the same address.
      HAAT__LIMITS__SCALE: '100000',
    };
    const market = new Market(folder, env, drop, url, sandboxHost);
    try {
      if (!demo) await market.run('migrate');
      await market.serve(extra);
    } catch (error) {
      await market.close().catch(() => {});
      throw error;
    }
    return market;
  }

  /** Runs `haat …` with this market's database. */
  run(...args: string[]): Promise<string> {
    return run(this.folder, this.env, ...args);
  }

  /** Adds the demo data, without pictures and orders, to a market with these settings that was opened without them. */
  seed(settings: NodeJS.ProcessEnv): Promise<string> {
    return run(this.folder, { ...this.env, ...settings }, 'seed', '--demo', '--plain');
  }

  /** The server's log output since the last call. */
  log(): string {
    const text = this.written;
    this.written = '';
    return text;
  }

  private async serve(extra: NodeJS.ProcessEnv): Promise<void> {
    const server = spawn(program(), ['serve'], {
      cwd: this.folder,
      env: { ...this.env, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.server = server;
    const keep = (chunk: Buffer) => (this.written = (this.written + chunk.toString()).slice(-1_000_000));
    server.stdout?.on('data', keep);
    server.stderr?.on('data', keep);
    server.once('error', (error) => (this.ended = error.message));
    server.once('exit', (code, signal) => (this.ended = `ended with ${signal ?? code}`));
    const deadline = Date.now() + 180_000;
    while (Date.now() < deadline) {
      if (this.ended) throw new Error(`haat serve ${this.ended}\n${this.written.slice(-4000)}`);
      const answer = await fetch(`http://${this.sandboxHost}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await pause(50);
    }
    throw new Error(`haat serve was not ready within three minutes\n${this.written.slice(-4000)}`);
  }

  /** Restarts the server with `extra` in its environment. */
  async restart(extra: NodeJS.ProcessEnv = {}): Promise<void> {
    if (!(await this.stop())) throw new Error('haat serve did not stop within 15 seconds of SIGTERM');
    this.ended = '';
    await this.serve(extra);
  }

  /** Asks the server to stop, as a process supervisor does. Returns whether it did. */
  private async stop(): Promise<boolean> {
    const { server } = this;
    if (!server || this.ended) return true;
    server.kill('SIGTERM');
    for (let waited = 0; !this.ended && waited < 15_000; waited += 50) await pause(50);
    if (this.ended) return true;
    server.kill('SIGKILL');
    return false;
  }

  /** Stops the server and removes its data. */
  async close(): Promise<void> {
    const early = this.ended;
    const stopped = await this.stop();
    await this.drop();
    await rm(this.folder, { recursive: true, force: true });
    if (early) throw new Error(`haat serve ${early} by itself\n${this.written.slice(-4000)}`);
    if (!stopped) throw new Error('haat serve did not stop within 15 seconds of SIGTERM');
  }
}
