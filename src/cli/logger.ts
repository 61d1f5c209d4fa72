import type { Logger } from '../core/base/index.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

interface Entry {
  readonly level: Level;
  readonly fields: object;
  readonly message: string;
  readonly timeMs: number;
}

/** A log that keeps its entries until `open`, so that the start does not wait for the logging library. */
export class ProcessLogger implements Logger {
  #target: Logger | undefined;
  #waiting: Entry[] = [];
  #timeMs = 0;

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#add('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#add('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#add('error', fields, message);
  }

  /** Writes what is waiting, and from now on everything at once: readable on a terminal, JSON elsewhere. */
  async open(output: LogOutput = process.stderr): Promise<void> {
    if (this.#target !== undefined) return;
    const { default: pino } = await import('pino');
    const options = { base: null, timestamp: () => `,"time":${this.#timeMs}` };
    const stream = output.isTTY ? readable(output) : output;
    this.#target ??= pino(options, stream);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) this.#write(this.#target, entry);
  }

  #add(level: Level, fields: object, message: string): void {
    const entry = { level, fields, message, timeMs: Date.now() };
    if (this.#target === undefined) this.#waiting.push(entry);
    else this.#write(this.#target, entry);
  }

  #write(target: Logger, { level, fields, message, timeMs }: Entry): void {
    this.#timeMs = timeMs;
    target[level](fields, message);
  }
}

/** Where log lines go; standard error of the process. */
export interface LogOutput {
  readonly isTTY?: boolean;
  write(line: string): unknown;
}

const levelNames = new Map([
  [20, 'DEBUG'],
  [30, 'INFO '],
  [40, 'WARN '],
  [50, 'ERROR'],
]);

function readable(output: LogOutput): { write(line: string): void } {
  const hasColor = !process.env.NO_COLOR;
  return { write: (line) => void output.write(`${formatLine(line, hasColor)}\n`) };
}

/** One line of pino's JSON as people read it: time, level, message, then the fields. */
export function formatLine(line: string, hasColor: boolean): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const name = levelNames.get(Number(level)) ?? String(level);
  const paint = (code: number, text: string) =>
    hasColor ? `\u001b[${code}m${text}\u001b[0m` : text;
  const color = Number(level) >= 50 ? 31 : Number(level) >= 40 ? 33 : 32;
  const details = Object.entries(fields).map(([key, value]) => `${key}=${formatField(value)}`);
  const tail = details.length === 0 ? '' : `  ${paint(2, details.join(' '))}`;
  return `${paint(2, clock)} ${paint(color, name)} ${msg}${tail}`;
}

function formatField(value: unknown): string {
  if (typeof value === 'string') return value;
  const stack = (value as { stack?: unknown } | null)?.stack;
  return typeof stack === 'string' ? `\n${stack}` : JSON.stringify(value);
}
