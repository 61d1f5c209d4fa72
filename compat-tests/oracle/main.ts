import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Coverage } from '../../src/kafka-protocol/testing/coverage.ts';
import { Random } from '../../src/kafka-protocol/testing/random.ts';
import { loadApis, loadMessages } from '../../src/kafka-protocol/testing/subjects.ts';
import { compareBatches } from './batches.ts';
import { compareVersions, kafkaHas, roundTrip, type Verdict } from './cases.ts';
import { headerSubjects } from './headers.ts';
import { kafkaClassPath } from './jars.ts';
import { Peer } from './peer.ts';
import { recordGolden } from './record.ts';
import { compareWithClass } from './reflection.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '12' },
    peer: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});
const startedMs = performance.now();
const groups = new Map<string, { passed: number; total: number }>();
const record = ({ group, name, problem }: Verdict) => {
  const counts = groups.get(group) ?? { passed: 0, total: 0 };
  groups.set(group, {
    passed: counts.passed + (problem === undefined ? 1 : 0),
    total: counts.total + 1,
  });
  if (problem !== undefined) console.log(`FAILED ${group}: ${name}: ${problem}`);
};

const oracle = join(dirname(fileURLToPath(import.meta.url)), 'Oracle.java');
// The first compiler alone: the run is too short for the second to pay.
const java = new Peer('kafka', 'java', [
  '-XX:TieredStopAtLevel=1',
  '-cp',
  kafkaClassPath(),
  oracle,
]);
const [program, ...args] = values.peer?.split(' ') ?? [];
const second = program === undefined ? undefined : new Peer('second peer', program, args);

const messages = [...loadMessages(), ...headerSubjects()];
for (const { head, api } of loadApis()) record(await compareVersions(java, head, api));
for (const { message } of messages) {
  const description = await kafkaHas(java, message);
  const differences =
    description === undefined ? ['no such class'] : compareWithClass(message, description);
  const problem = differences.length === 0 ? undefined : differences.join('; ');
  record({ group: 'oracle: definitions', name: message.name, problem });
}
const coverage = new Coverage();
const random = new Random(Number(values.seed));
for (const subject of messages) {
  const { min, max } = subject.message.versions;
  for (let version = min; version <= max; version++) {
    coverage.want(subject.message, version);
    const rounds = Number(values.rounds);
    for (const verdict of await roundTrip(subject, version, {
      java,
      second,
      coverage,
      random,
      rounds,
    }))
      record(verdict);
  }
}
for (const verdict of await compareBatches(java, random, 40)) record(verdict);
if (values.record) {
  const count = await recordGolden(java, loadMessages(), new Random(Number(values.seed)));
  console.log(`recorded ${count} messages`);
}
java.close();
second?.close();

const missing = coverage.missing();
record({
  group: 'oracle: coverage of values',
  name: `${coverage.total} states of fields`,
  problem: missing.length === 0 ? undefined : `never made: ${missing.slice(0, 20).join(', ')}`,
});
report();

function report(): void {
  const list = [...groups].map(([name, counts]) => ({ name, ...counts }));
  const passed = list.reduce((sum, group) => sum + group.passed, 0);
  const failed = list.reduce((sum, group) => sum + group.total - group.passed, 0);
  for (const { name, passed, total } of list) console.log(`${name}: ${passed} of ${total}`);
  const covered = coverage.total - missing.length;
  console.log(`coverage: ${covered} of ${coverage.total} states of fields; seed ${values.seed}`);
  console.log(
    `oracle: ${passed} passed, ${failed} failed in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
  );
  const file = process.env.RESULTS_FILE;
  if (file !== undefined)
    writeFileSync(file, JSON.stringify({ passed, failed, skipped: 0, groups: list }));
  process.exitCode = failed === 0 ? 0 : 1;
}
