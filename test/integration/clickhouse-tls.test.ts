import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import { systemRandom } from '#src/random.js';
import { FollowerRig } from '../support/follower-rig.js';
import { type HttpFaultProxy, isInsert } from '../support/http-fault-proxy.js';
import { selfSigned } from '../support/self-signed.js';

/** ClickHouse behind TLS with certificates of one's own, and a user whose name and password lie in files. */

const SEED = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));
const USER = 'headrace-engine';
const PASSWORD = 'as the file has it';
const TEST_MS = 180_000;
const ALL = [0, 1, 2, 3];

let folder: string;
const server = selfSigned();
const client = selfSigned();
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-tls-'));
  const files = {
    user: `${USER}\n`,
    password: `${PASSWORD}\n`,
    wrong: 'as it is not',
    'ca.pem': server.cert,
    'client.pem': client.cert,
    'client-key.pem': client.key,
    'other-ca.pem': selfSigned().cert,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A rig whose ClickHouse has the one user. */
async function withRig(work: (rig: FollowerRig) => Promise<void>): Promise<void> {
  const passwordFile = file('password');
  await FollowerRig.with(SEED, work, {
    front: { user: USER, password: PASSWORD },
    target: { user: USER, passwordFile },
  });
}

/** `headrace query` with a configuration file of these lines in its section `clickhouse`. */
async function query(proxy: HttpFaultProxy, section: Record<string, string>) {
  const all = { url: proxy.url, database: 'followed', ...section };
  const lines = Object.entries(all).map(([name, value]) => `  ${name}: ${value}`);
  const config = file(`engine-${systemRandom.below(2 ** 31)}.yaml`);
  await writeFile(config, ['model: clickstream', 'clickhouse:', ...lines, ''].join('\n'));
  const said = { stdout: '', stderr: '' };
  const args = ['query', '--config', config, '--format', 'csv', '--sql', 'SELECT currentUser() AS user'];
  const code = await main(args, {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
  });
  return { code, ...said };
}

const AUTHENTIC = { user_file: 'user', password_file: 'password' };
const TRY_LATER = 75;

describe(`behind TLS (HEADRACE_SEED=${SEED})`, () => {
  it('a certificate of one’s own is refused with what to do, and accepted with ca_file', {
    timeout: TEST_MS,
  }, async () => {
    await withRig(async (rig) => {
      const proxy = await rig.anotherHost(server);
      const refused = await query(proxy, AUTHENTIC);
      expect(refused).toMatchObject({ code: TRY_LATER, stdout: '' });
      expect(refused.stderr).toMatch(
        /CLICKHOUSE_UNREACHABLE: ClickHouse at https:\/\/127\.0\.0\.1:\d+ has a certificate that is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\).* — .*clickhouse\.ca_file/,
      );
      expect(refused.stderr.trim().split('\n')).toHaveLength(1);
      const other = await query(proxy, { ...AUTHENTIC, ca_file: 'other-ca.pem' });
      expect(other.code).toBe(TRY_LATER);
      expect(other.stderr).toContain('has a certificate that is not trusted');
      // nothing came through, not even a password
      expect(proxy.seen).toEqual([]);
      const accepted = await query(proxy, { ...AUTHENTIC, ca_file: 'ca.pem' });
      expect(accepted).toMatchObject({ code: 0, stderr: '' });
      expect(proxy.seen.length).toBeGreaterThan(0);
    });
  });

  it('a certificate for another name, or one that is over, is refused also with its authority', {
    timeout: TEST_MS,
  }, async () => {
    await withRig(async (rig) => {
      const wrong = { name: selfSigned({ address: [127, 0, 0, 9] }), time: selfSigned({ validDays: -1 }) };
      for (const [what, certificate] of Object.entries(wrong)) {
        await writeFile(file(`${what}.pem`), certificate.cert);
        const proxy = await rig.anotherHost(certificate);
        const refused = await query(proxy, { ...AUTHENTIC, ca_file: `${what}.pem` });
        expect(refused.code).toBe(TRY_LATER);
        expect(refused.stderr).toMatch(
          /has a certificate that is not trusted \((ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED)\)/,
        );
        expect(proxy.seen).toEqual([]);
      }
    });
  });

  it('a server that asks for a certificate gets the one of cert_file', { timeout: TEST_MS }, async () => {
    await withRig(async (rig) => {
      const asks = { ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true };
      const proxy = await rig.anotherHost(asks);
      const section = { ...AUTHENTIC, ca_file: 'ca.pem' };
      const without = await query(proxy, section);
      expect(without.code).toBe(TRY_LATER);
      expect(without.stderr).toMatch(
        /CLICKHOUSE_UNREACHABLE: .* asks for a certificate .*clickhouse\.cert_file/,
      );
      const own = { cert_file: 'client.pem', key_file: 'client-key.pem' };
      expect(await query(proxy, { ...section, ...own })).toMatchObject({ code: 0 });
    });
  });

  it('a wrong password is told with the setting that mends it, and is not shown', {
    timeout: TEST_MS,
  }, async () => {
    await withRig(async (rig) => {
      const proxy = await rig.anotherHost(server);
      const refused = await query(proxy, { ...AUTHENTIC, password_file: 'wrong', ca_file: 'ca.pem' });
      expect(refused.code).toBe(TRY_LATER);
      expect(refused.stderr).toContain(
        `CLICKHOUSE_AUTH: ClickHouse does not let the user ${USER} in: the name or the password is wrong`,
      );
      expect(refused.stderr).toContain('the file that clickhouse.password_file names');
      expect(refused.stderr).not.toContain('as it is not');
      const missing = await query(proxy, { ...AUTHENTIC, password_file: 'nowhere', ca_file: 'ca.pem' });
      expect(missing.code).toBe(78);
      expect(missing.stderr).toContain("clickhouse.password_file can't be read");
    });
  });

  it('a follower waits with one line while it trusts nobody, and brings each row in once when it does', {
    timeout: TEST_MS,
  }, async () => {
    await withRig(async (rig) => {
      const proxy = await rig.anotherHost(server);
      const trust = { url: proxy.url, tls: { caFile: file('ca.pem'), certFile: null, keyFile: null } };
      const doubtful = await rig.engine('doubtful', ALL, { url: proxy.url });
      await doubtful.tell(3);
      await expect
        .poll(() => doubtful.log.with('its files wait in the lake').length, { timeout: 60_000 })
        .toBeGreaterThan(0);
      expect(String(doubtful.log.with('its files wait')[0]!.fields.error)).toContain('clickhouse.ca_file');
      await doubtful.close();
      const engine = await rig.engine('engine', ALL, trust);
      await engine.tell(3);
      await engine.caughtUp();
      expect(proxy.seen.filter(isInsert).length).toBeGreaterThan(0);
      expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
      expect(await rig.fileStates()).toEqual({ done: rig.story.files.length });
    });
  });
});
