/** Heap of the kernel. Signatures first; the lead fills in. */
export function reserve(bytes: u32): usize { return 0; }
export function alloc(bytes: u32): usize { return 0; }
export function free(at: usize): void {}
