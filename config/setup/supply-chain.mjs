/**
 * What can be said of the packages that we rest on, as pure functions: of the lockfile, and of npm's answers about it. Each gives findings,
 * a sentence each; none is good. `npm run check -- --supply-chain` asks npm and tells them.
 */

/** Whose install scripts there may be, and why. None is run by `npm ci`: .npmrc and the set-up say --ignore-scripts. */
export const INSTALL_SCRIPTS = {
  '@confluentinc/kafka-javascript':
    'its native part; the set-up calls it, and proves what came of it by loading it',
  'msgpackr-extract': 'a speed-up of msgpackr, which goes without; never called',
  chdb: 'for the demo and tests alone; never called, its library is a package',
};
/** The one of them that somebody calls. */
export const CALLED_INSTALL_SCRIPT = '@confluentinc/kafka-javascript';

/** Of the demo's library on other platforms: the registry by which the lockfile was written does not have them. */
const WITHOUT_CHECKSUM = ['@chdb/lib-darwin-arm64', '@chdb/lib-darwin-x64', '@chdb/lib-linux-arm64-gnu'];

const LICENCES = new Set([
  'Apache-2.0',
  'MIT',
  'MIT OR Apache-2.0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'Python-2.0',
]);
const REGISTRY = 'https://registry.npmjs.org/';
const SEVERE = ['high', 'critical'];

/** `path` of a lockfile's entry, as in node_modules/a/node_modules/b. */
const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Packages but our own, as [path, entry]. */
const packagesOf = (lock) => Object.entries(lock.packages).filter(([path]) => path !== '');

/** @param lock the parsed package-lock.json @param manifest the parsed package.json */
export function lockfileFindings(lock, manifest) {
  const findings = [];
  if (lock.lockfileVersion !== 3)
    findings.push(`package-lock.json has version ${lock.lockfileVersion}, not 3`);
  for (const kind of ['dependencies', 'devDependencies']) {
    const [ours, locked] = [manifest[kind] ?? {}, lock.packages['']?.[kind] ?? {}];
    for (const name of new Set([...Object.keys(ours), ...Object.keys(locked)])) {
      if (ours[name] !== locked[name])
        findings.push(`${name}: package.json says ${ours[name]}, the lockfile ${locked[name]}`);
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(ours[name] ?? ''))
        findings.push(`${name}: ${ours[name]} is no exact version`);
    }
  }
  for (const [path, { integrity, resolved, link, hasInstallScript, dev }] of packagesOf(lock)) {
    const isExcused = dev === true && integrity === undefined && WITHOUT_CHECKSUM.includes(nameOf(path));
    if (link === true) findings.push(`${path}: a link, not a package`);
    if (!isExcused && !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))
      findings.push(`${path}: no SHA-512 of what npm may install there`);
    if (resolved !== undefined && !resolved.startsWith(REGISTRY))
      findings.push(`${path}: comes from ${resolved}`);
    if (hasInstallScript === true && !Object.hasOwn(INSTALL_SCRIPTS, nameOf(path)))
      findings.push(`${path}: has an install script, and is not among those that may`);
  }
  return findings;
}

/** How often each licence is, of the packages that engines run with. Those of platforms alone have none in the lockfile. */
export function licencesOf(lock) {
  const packages = packagesOf(lock).filter(([, { dev }]) => dev !== true);
  const licences = new Map();
  for (const [path, { license, version }] of packages) {
    const isOfAPlatform = license === undefined && /-(darwin|linux|win32|android)/.test(path);
    const licence = isOfAPlatform ? 'as the package that it is the native part of' : (license ?? 'none');
    licences.set(licence, [...(licences.get(licence) ?? []), `${nameOf(path)} ${version}`]);
  }
  return new Map([...licences].sort(([, a], [, b]) => b.length - a.length));
}

export function licenceFindings(lock) {
  return [...licencesOf(lock)]
    .filter(([licence]) => !LICENCES.has(licence) && !licence.startsWith('as the package'))
    .map(([licence, packages]) => `${packages.join(', ')}: licence ${licence}, which nobody has looked at`);
}

/** @param text stdout of `npm audit --json`; null: it is no answer about advisories, for what reason ever. */
export function auditFindings(text) {
  const counts = parsed(text)?.metadata?.vulnerabilities;
  if (!SEVERE.every((severity) => Number.isInteger(counts?.[severity]))) return null;
  return SEVERE.filter((severity) => counts[severity] > 0).map(
    (severity) => `${counts[severity]} ${severity} advisories`,
  );
}

/** @param text stdout of `npm audit signatures --json`; null: no answer. */
export function signatureFindings(text) {
  const answer = parsed(text);
  if (!Array.isArray(answer?.invalid) || !Array.isArray(answer?.missing)) return null;
  const named = (kind) => answer[kind].map(({ name, version }) => `${name} ${version}: signature ${kind}`);
  return [...named('invalid'), ...named('missing')];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
