import { describe, expect, test } from '@jest/globals';
import { judgeCounts, readCallgrind } from './counts.ts';

const program = '/target/release/ms-counts';
const dump = `# callgrind format
part: 2
desc: Trigger: --dump-after=ms_counts::counted
positions: line
events: Ir
summary: 1234

ob=/lib/libc.so.6
fn=(below main)
cob=${program}
cfn=main
calls=1 0
58 1234

fn=memcpy
264 600

ob=${program}
fl=/src/main.rs
fn=ms_counts::measured::append
10 100
cob=/lib/libc.so.6
cfi=memcpy.S
cfn=memcpy
calls=19 200
11 600
cfn=ms_counts::inputs::append
calls=3 12
12 400
+1 25

totals: 1234
`;

describe('reading a dump', () => {
  test('counts what the program itself executes, and its calls of libraries', () => {
    expect(readCallgrind(dump, program)).toEqual({ instructions: 125, callsOutside: 19 });
  });
});

describe('judging', () => {
  const baseline = {
    rustc: 'rustc 1',
    counts: {
      walk: { instructions: 1000, callsOutside: 0 },
      append: { instructions: 1000, callsOutside: 20 },
    },
  };
  const judge = (walk: number, append: number, calls: number) => {
    const counts = {
      walk: { instructions: walk, callsOutside: 0 },
      append: { instructions: append, callsOutside: calls },
    };
    return judgeCounts(baseline, counts).map(({ isRegression }) => isRegression);
  };

  test('one percent more instructions is a regression, less than that is not', () => {
    expect(judge(1009, 1010, 20)).toEqual([false, true]);
  });

  test('another call of a library is a regression, also where there was none', () => {
    expect(judge(1000, 1000, 21)).toEqual([false, true]);
    const counts = { ...baseline.counts, walk: { instructions: 1000, callsOutside: 1 } };
    expect(judgeCounts(baseline, counts)[0]?.isRegression).toBe(true);
  });

  test('a function that came or went is named', () => {
    const verdicts = judgeCounts(baseline, {
      walk: baseline.counts.walk,
      crc: baseline.counts.walk,
    });
    expect(verdicts.map(({ name, isRegression }) => [name, isRegression])).toEqual([
      ['walk', false],
      ['append', true],
      ['crc', true],
    ]);
  });
});
