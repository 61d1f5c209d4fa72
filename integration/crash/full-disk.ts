import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ErrorCode } from '../../src/kafka-protocol/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { RawClient } from '../support/raw-client.ts';
import { createTopic } from '../support/topics.ts';
import { NumberedTopic } from './acknowledged.ts';

/** The hard-state log reserves 64 MiB of it. */
const DISK_MIB = 160;
const BALLAST_MIB = 40;

/** Fills a small file system under the broker, frees space, restarts. Returns what is wrong. Needs the right to mount. */
export async function fullDisk(reactors: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ms-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', folder]);
  try {
    return await onSmallDisk(folder, reactors);
  } finally {
    execFileSync('umount', ['--lazy', folder]);
    rmdirSync(folder);
  }
}

async function onSmallDisk(folder: string, reactors: string): Promise<string[]> {
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_MIB << 20, 1));
  const settings = { 'log.dirs': join(folder, 'data'), 'reactor.threads': reactors };
  const broker = await BrokerProcess.start({ settings });
  try {
    const client = await RawClient.connect(broker.port);
    const kept = new NumberedTopic('kept', 1000);
    const filler = new NumberedTopic('filler', 500_000);
    for (const { name } of [kept, filler]) await createTopic(client, name, 1);
    await kept.produceMany(client, 200);

    const problems = await fill(client, filler);
    problems.push(...(await label('while full', checkBoth(broker.port, kept, filler))));
    rmSync(ballast);
    problems.push(...(await heals(client, kept, filler)));
    problems.push(...(await label('healed', checkBoth(broker.port, kept, filler))));
    client.close();

    const outcome = await broker.kill('SIGTERM');
    if (outcome !== 0) problems.push(`the broker ended with ${outcome}`);
    await broker.startAgain();
    problems.push(...(await label('restarted', checkBoth(broker.port, kept, filler))));
    return problems;
  } finally {
    await broker.dispose();
  }
}

async function fill(client: RawClient, filler: NumberedTopic): Promise<string[]> {
  const most = (DISK_MIB << 20) / 500_000;
  let errorCode: number = ErrorCode.NONE;
  for (let i = 0; i < most && errorCode === ErrorCode.NONE; i++) {
    errorCode = await filler.produceOne(client);
  }
  if (errorCode === ErrorCode.NONE) return ['the disk never became full'];
  const problems: string[] = [];
  for (let i = 0; i < 20; i++) {
    if (errorCode !== ErrorCode.KAFKA_STORAGE_ERROR && errorCode !== ErrorCode.NONE) {
      problems.push(`error ${errorCode} on a full disk`);
    }
    errorCode = await filler.produceOne(client);
  }
  return problems;
}

async function heals(client: RawClient, ...topics: readonly NumberedTopic[]): Promise<string[]> {
  const problems: string[] = [];
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (const topic of topics) {
    let errorCode = await topic.produceOne(client);
    while (errorCode !== ErrorCode.NONE && performance.now() < deadlineMs) {
      await pause(50);
      errorCode = await topic.produceOne(client);
    }
    if (errorCode !== ErrorCode.NONE) {
      problems.push(
        `${topic.name}: still error ${errorCode}, ${PATIENCE_MS} ms after there was space`,
      );
    }
  }
  return problems;
}

async function checkBoth(port: number, ...topics: readonly NumberedTopic[]): Promise<string[]> {
  const found = [];
  for (const topic of topics) found.push(...(await topic.check(port)));
  return found;
}

async function label(when: string, problems: Promise<string[]>): Promise<string[]> {
  const found = await problems.catch((error: unknown) => [String(error)]);
  return found.map((problem) => `${when}: ${problem}`);
}
