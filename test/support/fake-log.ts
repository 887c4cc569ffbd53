import type { Log, LogFields } from '#src/telemetry/log.js';

/** A log that remembers. */
export class FakeLog implements Log {
  readonly lines: { level: string; fields: LogFields; message: string }[] = [];

  trace = this.#line('trace');
  debug = this.#line('debug');
  info = this.#line('info');
  warn = this.#line('warn');
  error = this.#line('error');

  child(): Log {
    return this;
  }

  /** Lines whose message contains a text. */
  with(text: string): { level: string; fields: LogFields; message: string }[] {
    return this.lines.filter(({ message }) => message.includes(text));
  }

  #line(level: string) {
    return (fields: LogFields, message: string): void => {
      this.lines.push({ level, fields, message });
    };
  }
}
