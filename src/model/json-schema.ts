import { z } from 'zod';
import { modelSchema } from './schema.js';

/** The form of a model file for editors: JSON schema (draft 2020-12), made from the one that files are checked by. */
export function modelJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(modelSchema, { io: 'input', unrepresentable: 'any' });
  return { title: 'A session model of Headrace', ...schema };
}
