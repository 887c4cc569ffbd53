import type { ErrorCode } from '../errors.js';

/** What can be wrong with a batch. */
export type FaultKind = 'corrupt' | 'unsupported' | 'too_large';

export const CODE_OF_FAULT: Readonly<Record<FaultKind, ErrorCode>> = {
  corrupt: 'BATCH_CORRUPT',
  unsupported: 'BATCH_UNSUPPORTED',
  too_large: 'BATCH_TOO_LARGE',
};

/** Found deep in a batch; decodeBatches makes a HeadraceError of it, which says where. */
export class BatchFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
