/** The native parts that come prebuilt inside npm packages: loaded once, so that a missing one is named here. */
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { run } from './child-processes.mjs';
import { stampIs, writeStamp } from './stamp.mjs';
import { StepError } from './step-error.mjs';

const PACKAGES = ['lz4-napi', '@node-rs/crc32'];
const stamp = inCheckout('node_modules', '.headrace-native');

export async function proveNativePackages() {
  const versions = PACKAGES.map((name) => readJson(inCheckout('node_modules', name, 'package.json')).version);
  const key = `${PACKAGES} ${versions} abi${process.versions.modules} ${process.platform}-${process.arch}`;
  if (stampIs(stamp, key)) return 'up to date';
  for (const name of PACKAGES) {
    const answer = await run(process.execPath, ['-e', `require(${JSON.stringify(name)})`], {
      cwd: checkout,
      timeoutMs: 60_000,
    });
    if (answer.code === 0) continue;
    throw new StepError(`${name} has no binary that loads on ${process.platform}-${process.arch}`, {
      remedy:
        'delete node_modules and start again; if npm is told to omit optional packages, allow them (they carry the binary)',
    });
  }
  writeStamp(stamp, key);
  return 'loaded';
}
