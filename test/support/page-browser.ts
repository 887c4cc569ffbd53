import { execFileSync } from 'node:child_process';
import { chromium as playwright } from 'playwright-core';
import { chromium } from '../../config/setup/chromium.mjs';

/** Debian's Chromium without a window, driven by playwright-core. */
export async function openBrowser() {
  const name = await chromium();
  if (name === null) throw new Error('there is no Chromium: npm test installs it');
  const executablePath = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  return await playwright.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu'] });
}
