import type { ObjectInfo, ObjectStore } from '#src/lake/store/store.js';

/** Objects in memory: where a long log is made before it is put where it is measured. */
export class MemoryObjects implements ObjectStore {
  readonly url = 'memory:';
  readonly objects = new Map<string, Uint8Array>();

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.objects.has(path)) return 'exists';
    this.objects.set(path, bytes);
    return 'created';
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(path, bytes);
  }

  async get(path: string): Promise<Uint8Array | null> {
    return this.objects.get(path) ?? null;
  }

  async list(prefix: string, startAfter = ''): Promise<ObjectInfo[]> {
    return [...this.objects]
      .filter(([path]) => path.startsWith(prefix) && path > startAfter)
      .map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength, modifiedMs: 0 }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async delete(path: string): Promise<void> {
    this.objects.delete(path);
  }
}
