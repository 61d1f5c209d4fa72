import { describe, expect, test } from '@jest/globals';
import { formatLine, ProcessLogger } from './logger.ts';

describe('ProcessLogger', () => {
  test('keeps what is said before it is open, in order, with the time it was said', async () => {
    const lines: string[] = [];
    const logger = new ProcessLogger();
    logger.warn({ key: 'foo' }, 'first');
    logger.info({}, 'second');
    expect(lines).toEqual([]);
    await logger.open({ write: (line) => lines.push(line) });
    logger.error({ err: new Error('broken') }, 'third');
    const entries = lines.map((line) => JSON.parse(line));
    expect(entries.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'first'],
      [30, 'second'],
      [50, 'third'],
    ]);
    expect(entries[0].key).toBe('foo');
    expect(entries[2].err.message).toBe('broken');
    for (const { time } of entries) expect(time).toBeGreaterThan(1_600_000_000_000);
  });

  test('is readable on a terminal', async () => {
    const lines: string[] = [];
    const logger = new ProcessLogger();
    logger.info({ port: 1 }, 'hello');
    await logger.open({ isTTY: true, write: (line) => lines.push(line) });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/hello.*port=1/);
  });
});

describe('formatLine', () => {
  test('shows time, level, message and fields', () => {
    const line = JSON.stringify({ level: 40, time: 1_500, msg: 'slow', ms: 7, path: '/a' });
    expect(formatLine(line, false)).toBe('00:00:01.500 WARN  slow  ms=7 path=/a');
  });

  test('shows the stack of an error below the line', () => {
    const err = { type: 'Error', message: 'x', stack: 'Error: x\n    at y' };
    const line = JSON.stringify({ level: 50, time: 0, msg: 'failed', err });
    expect(formatLine(line, false)).toBe('00:00:00.000 ERROR failed  err=\nError: x\n    at y');
  });
});
