import { execFileSync } from 'node:child_process';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#src/errors.js';

/**
 * A file system of a few MiB, mounted for a test that fills it: what is written then fails with the kernel's own ENOSPC. Mounting
 * takes root, as tests in CI run. Whatever the test's process comes to, it is unmounted with it.
 */

const STEP_BYTES = 64 * 1024;
const PAGE_BYTES = 4096;
const TOP_UP_MS = 10;
const mounted = new Set<SmallDisk>();
process.once('exit', () => {
  for (const disk of mounted) disk.unmount();
});

export class SmallDisk {
  readonly folder: string;
  #ballast: FileHandle | null = null;
  #full: AbortController | null = null;
  #filling: Promise<void> = Promise.resolve();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async mount(folder: string, sizeMiB: number): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true });
    const options = `size=${sizeMiB}m,mode=0755`;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'headrace-test', folder], { stdio: 'pipe' });
    } catch (error) {
      throw new Error(
        `these tests fill a disk, for which they mount a small one: run them as root, or where "mount -t tmpfs" is allowed (${messageOf(error)})`,
      );
    }
    const disk = new SmallDisk(folder);
    mounted.add(disk);
    return disk;
  }

  /** Resolves when nothing can be written any more. What is given back by others meanwhile is taken too, until `empty`. */
  async fill(): Promise<void> {
    this.#ballast = await open(this.#ballastPath, 'a');
    const full = new AbortController();
    this.#full = full;
    await this.#takeAll();
    this.#filling = (async () => {
      while (!full.signal.aborted) {
        await sleep(TOP_UP_MS);
        await this.#takeAll();
      }
    })();
  }

  /** There is room again. */
  async empty(): Promise<void> {
    this.#full?.abort();
    await this.#filling;
    await this.#ballast?.close();
    await rm(this.#ballastPath, { force: true });
  }

  unmount(): void {
    mounted.delete(this);
    execFileSync('umount', ['-l', this.folder], { stdio: 'pipe' });
  }

  get #ballastPath(): string {
    return join(this.folder, '.ballast');
  }

  async #takeAll(): Promise<void> {
    for (const bytes of [STEP_BYTES, PAGE_BYTES]) {
      const zeros = Buffer.alloc(bytes);
      for (;;) {
        try {
          await this.#ballast!.write(zeros);
        } catch (error) {
          if ((error as { code?: string }).code !== 'ENOSPC') throw error;
          break;
        }
      }
    }
  }
}
