/** Folders of Java libraries from Maven Central, in the cache: what the tests run beside us and what we never ship. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ensurePackages } from './apt.mjs';
import { cachePath, logPath, publishFolder } from './cache-folder.mjs';
import { run, runOrFail } from './child-processes.mjs';
import { withLock } from './lock.mjs';
import { StepError } from './step-error.mjs';

const JAVA_VERSION_MIN = 17;
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/**
 * Fetches libraries and all they need into a folder of the cache, unless it is there.
 * @param {{ name: string, dependencies: string, target: string, note: (note: string) => void }} wanted `name`: with its
 *   version, for messages; `dependencies`: the <dependency> elements
 */
export async function prepareMavenJars({ name, dependencies, target, note }) {
  await ensureJava(name, note);
  if (existsSync(target)) return 'up to date';
  return withLock(
    cachePath('locks', basename(target)),
    async () => {
      if (existsSync(target)) return 'up to date';
      await ensureMaven(name, note);
      note(`${name} from Maven Central`);
      await download(name, dependencies, target);
      return 'downloaded';
    },
    (owner) => note(`waiting for ${owner}, which downloads it`),
  );
}

async function download(name, dependencies, target) {
  const project = mkdtempSync(join(tmpdir(), 'headrace-maven-'));
  try {
    writeFileSync(join(project, 'pom.xml'), pom(dependencies));
    await runOrFail(
      'mvn',
      [
        '-B',
        '-ntp',
        COPY_DEPENDENCIES,
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(project, 'jars')}`,
      ],
      `${name} could not be had from Maven Central`,
      { cwd: project, log: logPath('maven') },
    );
    await publishFolder(target, (folder) => cpSync(join(project, 'jars'), folder, { recursive: true }));
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function pom(dependencies) {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>headrace</groupId>
  <artifactId>jars-for-tests</artifactId>
  <version>1</version>
  <dependencies>
${dependencies}
  </dependencies>
</project>
`;
}

async function ensureJava(name, note) {
  const found = await javaVersion();
  if (found !== undefined && found >= JAVA_VERSION_MIN) return;
  await ensurePackages(
    ['default-jre-headless'],
    `to run ${name} in the tests (Java ${JAVA_VERSION_MIN} or newer)`,
    note,
  );
  const now = await javaVersion();
  if (now !== undefined && now >= JAVA_VERSION_MIN) return;
  throw new StepError(`the tests run a real ${name}, which needs Java ${JAVA_VERSION_MIN} or newer`, {
    remedy: `${now === undefined ? 'no java is in PATH' : `java in PATH is version ${now}`}: put a newer one there`,
  });
}

/** Major version of the java in PATH. */
async function javaVersion() {
  const answer = await run('java', ['--version'], { timeoutMs: 60_000 });
  const match = /^\S+ (\d+)/.exec(answer.stdout);
  return answer.code === 0 && match ? Number(match[1]) : undefined;
}

async function ensureMaven(name, note) {
  if ((await run('mvn', ['--version'], { timeoutMs: 60_000 })).code === 0) return;
  await ensurePackages(['maven'], `to fetch ${name} for the tests`, note);
}
