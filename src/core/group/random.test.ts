import { expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { TraceRunner } from './testing/trace.ts';

// Any order of requests, timeouts and failovers: nothing throws, deciding changes nothing, what is
// logged gives the state again, and every request is answered, once.

const group = fc.constantFrom('g1', 'g2');
/** Ids that a group may have given, by their kind and number, and some that none has. */
const memberId = fc.oneof(
  fc
    .tuple(fc.constantFrom('a', 'b', 'i1', 'i2'), fc.integer({ min: 1, max: 9 }))
    .map(([name, number]) => `${name}-${number}`),
  fc.constant('nobody'),
);
const instance = fc.constantFrom('', '', ' instance=i1', ' instance=i2');
const generation = fc.integer({ min: -1, max: 4 });
const protocols = fc.constantFrom(
  'range:x',
  'range:topics(t),sticky:y',
  'sticky:z,range:topics(t|u)',
  'sticky:!',
  '',
);
const version = fc.constantFrom(0, 3, 4, 9);
const retention = fc.constantFrom('', '', ' retention=0', ' retention=20000', ' retention=900000');
/** The log does not take what the request that follows would write. */
const unwritten = fc.constantFrom('', '', '', '', 'unwritten ');
const timeout = fc.constantFrom(0, 10, 6_000, 60_000);

const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(group, instance, protocols, version, timeout, unwritten)
      .map(
        ([g, i, p, v, r, u]) =>
          `${u}join ${g} client=${v < 4 ? 'a' : 'b'}${i} protocols=${p} v=${v} rebalance=${r}`,
      ),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(group, memberId, instance, protocols, timeout)
      .map(([g, m, i, p, r]) => `join ${g} member=${m}${i} protocols=${p} rebalance=${r}`),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(group, memberId, instance, generation, memberId, unwritten)
      .map(
        ([g, m, i, n, other, u]) =>
          `${u}sync ${g} member=${m}${i} generation=${n} assign=${m}:p0,${other}:p1`,
      ),
  },
  // Chance alone hardly ever completes a generation.
  {
    weight: 6,
    arbitrary: fc
      .tuple(group, unwritten)
      .map(([g, u]) => `${u}sync ${g} LEADER assign=a-1:p0,i1-2:p1`),
  },
  { weight: 2, arbitrary: group.map((g) => `commit ${g} LEADER offsets=t-0:1,u-0:1,w-0:1`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(group, memberId, generation)
      .map(([g, m, n]) => `heartbeat ${g} member=${m} generation=${n}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(group, memberId, instance)
      .map(([g, m, i]) => `leave ${g} ${m} ${i === '' ? 'nobody' : `/${i.slice(10)}`}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(group, memberId, generation, fc.nat(3), retention, unwritten)
      .map(
        ([g, m, n, p, r, u]) =>
          `${u}commit ${g} ${n < 0 ? '' : `member=${m} `}generation=${n} offsets=t-${p}:${p},u-0:1${r}`,
      ),
  },
  { weight: 1, arbitrary: group.map((g) => `fetch ${g}`) },
  { weight: 1, arbitrary: group.map((g) => `describe ${g} none`) },
  { weight: 1, arbitrary: group.map((g) => `delete-groups ${g}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('list', 'topics-deleted t', 'load', 'settings max-size=1'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('step-wall-clock 60000', 'step-wall-clock -60000'),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(0, 10, 3_000, 10_000, 700_000).map((ms) => `advance ${ms}`),
  },
);

/** Nothing, or a Stable group of two members, one of them static. */
const beginning = fc.constantFrom(
  [],
  [
    'join g1 instance=i1 protocols=range:topics(t),sticky:y',
    'join g1 client=a v=3 protocols=range:topics(t),sticky:y',
    'advance 6000',
    'sync g1 LEADER assign=i1-1:p0,a-2:p1',
  ],
);

/** LEADER: the member that leads the group, and the generation. */
function withLeader(text: string, { groups }: TraceRunner): string {
  if (!text.includes('LEADER')) return text;
  const { leaderId = 'nobody', generationId = -1 } =
    groups.get(/ (g\d) /.exec(text)?.[1] ?? '') ?? {};
  return text.replace('LEADER', `member=${leaderId} generation=${generationId}`);
}

test('any order of requests, timeouts and failovers', () => {
  fc.assert(
    fc.property(
      beginning,
      fc.array(line, { minLength: 1, maxLength: 60, size: 'max' }),
      (first, rest) => {
        const runner = new TraceRunner();
        runner.block('settings retention-minutes=5 check-interval=60000');
        for (const text of [...first, ...rest]) {
          runner.block(withLeader(text, runner));
          runner.check();
        }
        // Parked requests end with their rebalance, or with the sessions of those who do not come.
        runner.block('advance 3600000');
        expect(runner.parked).toEqual([]);
        runner.check();
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);
