import type { SessionEngineName } from '../config/worker-memory.js';
import { loggedFields } from '../model/logged-fields.js';
import type { CompiledModel } from '../model/types.js';
import { LOGGED_MAX } from './abi.js';

/** The engine that runs: the wanted one, unless the model keeps more fields than the kernel's sessions have room for. */
export function chooseEngine(wanted: SessionEngineName, model: CompiledModel): SessionEngineName {
  return loggedFields(model).fields.length > LOGGED_MAX ? 'reference' : wanted;
}
