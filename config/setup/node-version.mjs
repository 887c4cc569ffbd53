/** The Node.js version that package.json asks for. */
import { inCheckout, readJson } from './checkout.mjs';
import { StepError } from './step-error.mjs';

/** Answers the version's name, or says which one is needed. */
export function checkNodeVersion(have = process.versions.node) {
  const wanted = readJson(inCheckout('package.json')).engines.node.replace('>=', '');
  if (compareVersions(have, wanted) >= 0) return have;
  throw new StepError(`Node.js ${wanted} or newer is needed, this is ${have}`, {
    remedy: `install it from https://nodejs.org or with a version manager (nvm install ${wanted.split('.')[0]})`,
  });
}

/** Negative, 0 or positive, as numbers, part by part. */
export function compareVersions(a, b) {
  const left = a.split('.').map((part) => Number.parseInt(part, 10));
  const right = b.split('.').map((part) => Number.parseInt(part, 10));
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
