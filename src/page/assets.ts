import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Answer, Route } from '../http/listener.js';

/** What the page is made of: files of this package and of uPlot, each known by name and read once. */

/** From the sources (tests) it is the built one too: browsers run no TypeScript. */
const BUILT = new URL(import.meta.url.endsWith('.ts') ? '../../dist/page/' : './', import.meta.url);
const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

const SCRIPTS = [
  ...['page', 'charts', 'tables', 'table', 'text', 'asking', 'panel'],
  ...['views', 'letters', 'versions', 'tails'],
];

const OWN: readonly [path: string, file: string, type: string][] = [
  ['/', 'page.html', HTML],
  ['/page.css', 'page.css', CSS],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
  ...SCRIPTS.map((name): [string, string, string] => [`/page/${name}.js`, `client/${name}.js`, SCRIPT]),
];
const UPLOT: readonly [path: string, file: string, type: string][] = [
  ['/uplot.js', 'uplot/dist/uPlot.iife.min.js', SCRIPT],
  ['/uplot.css', 'uplot/dist/uPlot.min.css', CSS],
];

export function pageRoutes(): [string, Route][] {
  const { resolve } = createRequire(import.meta.url);
  return [
    ...OWN.map(([path, file, type]) => route(path, fileURLToPath(new URL(file, BUILT)), type)),
    ...UPLOT.map(([path, file, type]) => route(path, () => resolve(file), type)),
  ];
}

/** Nobody who looks at no page reads the files. */
function route(path: string, file: string | (() => string), type: string): [string, Route] {
  let answer: Answer | null = null;
  return [
    path,
    () => {
      answer ??= { status: 200, type, body: readFileSync(typeof file === 'string' ? file : file()) };
      return answer;
    },
  ];
}
