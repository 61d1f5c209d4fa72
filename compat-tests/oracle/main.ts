import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Coverage } from '../../src/kafka-protocol/testing/coverage.ts';
import { Random } from '../../src/kafka-protocol/testing/random.ts';
import { loadApis, loadMessages } from '../../src/kafka-protocol/testing/subjects.ts';
import type { Message } from '../../tools/codegen/model.ts';
import { fetchJars, oracleJars } from '../runner/install.ts';
import { checkAnswers } from './answers.ts';
import { compareBatches } from './batches.ts';
import { compareVersions, kafkaHas, roundTrip } from './cases.ts';
import { compareRustHeaders, headerSubjects } from './headers.ts';
import { Peer } from './peer.ts';
import { recordGolden } from './record.ts';
import { compareWithClass } from './reflection.ts';
import { RustPeer } from './rust-peer.ts';
import { Verdicts } from './verdicts.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '12' },
    target: { type: 'string', default: 'memorystreamer' },
    record: { type: 'boolean', default: false },
  },
});
const startedMs = performance.now();
const oracle = join(dirname(fileURLToPath(import.meta.url)), 'Oracle.java');
// The first compiler alone: the run is too short for the second to pay.
const java = new Peer('Kafka', 'java', [
  '-XX:TieredStopAtLevel=1',
  '-cp',
  await fetchJars(oracleJars),
  oracle,
]);
const rust = new RustPeer();
const coverage = new Coverage();
const random = new Random(Number(values.seed));
const verdicts = new Verdicts();
const messages = [...loadMessages(), ...headerSubjects()];

for (const { head, api } of loadApis()) {
  verdicts.add(await compareVersions(java, head, api));
  verdicts.add(...(await compareRustHeaders(rust, api, random)));
}
for (const { message } of messages) verdicts.add(await compareDefinition(message));
const bench = { java, rust, coverage, random, rounds: Number(values.rounds) };
for (const subject of messages) {
  const { min, max } = subject.message.versions;
  for (let version = min; version <= max; version++) {
    coverage.want(subject.message, version);
    verdicts.add(...(await roundTrip(subject, version, bench)));
  }
}
verdicts.add(...(await compareBatches(java, random, 40)));
const { target } = values;
if (target === 'memorystreamer' || target === 'kafka') {
  verdicts.add(...(await checkAnswers(java, target, values.record)));
}
if (values.record)
  console.log(
    `recorded ${await recordGolden(java, loadMessages(), new Random(Number(values.seed)))} messages`,
  );
java.close();
rust.close();

const missing = coverage.missing();
const covered = `${coverage.total - missing.length} of ${coverage.total} states of fields were made`;
const problem = missing.length === 0 ? undefined : `never made: ${missing.slice(0, 20).join(', ')}`;
verdicts.add({ group: 'oracle: coverage of values', name: covered, problem });
const isGreen = verdicts.report(process.env.RESULTS_FILE);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`oracle: ${covered}; seed ${values.seed}, ${seconds} s`);
process.exitCode = isGreen ? 0 : 1;

async function compareDefinition(message: Message) {
  const description = await kafkaHas(java, message);
  const differences =
    description === undefined ? ['no such class'] : compareWithClass(message, description);
  const problem = differences.length === 0 ? undefined : differences.join('; ');
  return { group: 'oracle: definitions', name: message.name, problem };
}
