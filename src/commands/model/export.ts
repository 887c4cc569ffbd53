import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import { EXPORT_TARGETS } from '../../export/targets.js';
import type { ExportModel } from '../../export/types.js';
import { loadModel } from '../../model/load.js';

export interface ModelExportOptions {
  /** A preset's name or a path. */
  model: string;
  /** The engine. */
  to: string;
  brokers: string;
  topic?: string;
  untilEnd: boolean;
  json: boolean;
  stdout(text: string): void;
}

/** What Kafka takes for a topic, and for a list of brokers. Both stand in the text that is printed. */
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;
const BROKERS = /^[A-Za-z0-9.:,[\]_-]+$/;

/** `headrace model export`: prints a model as a job of another engine. Gives 0; throws HeadraceError. */
export function modelExport({ model: name, to, stdout, json, ...rest }: ModelExportOptions): number {
  const exportModel = targetOf(to);
  const model = loadModel(name);
  const { brokers, untilEnd, topic = model.name } = rest;
  checkText('--topic', topic, TOPIC, 'letters, digits, dots, _ and - only');
  checkText('--brokers', brokers, BROKERS, 'host:port, several separated by commas');
  const { text, notExpressed } = exportModel(model, { brokers, topic, untilEnd });
  stdout(json ? `${JSON.stringify({ model: model.name, to, text, not_expressed: notExpressed })}\n` : text);
  return 0;
}

function targetOf(to: string): ExportModel {
  const target = Object.hasOwn(EXPORT_TARGETS, to) ? EXPORT_TARGETS[to] : undefined;
  if (target !== undefined) return target;
  const names = Object.keys(EXPORT_TARGETS);
  const near = suggest(to, names);
  throw new HeadraceError('USAGE', `--to knows no engine ${JSON.stringify(to)}`, {
    remedy: near === undefined ? `take one of ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

function checkText(flag: string, text: string, pattern: RegExp, rule: string): void {
  if (pattern.test(text)) return;
  throw new HeadraceError('USAGE', `${flag} can't be ${JSON.stringify(text)}`, { remedy: rule });
}
