import { isDeepStrictEqual } from 'node:util';
import { AssertionFailure } from '../../base/index.ts';
import type { Effects, Input, ReplyToken } from '../../coordinator/index.ts';
import type { ClassicGroup } from '../classic-group.ts';
import { GroupMachine } from '../group-machine.ts';
import { createGroupRecordCodec } from '../record-codec.ts';
import type { GroupCommand, GroupRecord, GroupSettings, GroupVocabulary } from '../vocabulary.ts';
import { checkGroups, checkReplayed } from './group-checks.ts';
import { parseCommand, settingsOf, words } from './trace-commands.ts';
import { formatCommand, formatRecord, formatReply } from './trace-format.ts';

const groupRecordCodec = createGroupRecordCodec();

/** Runs a trace and returns it with the effects that the machine had, as the file should be. */
export function runTrace(text: string): string {
  const runner = new TraceRunner();
  const blocks = text.split(/\n\n+/).map((block) => runner.block(block.trim()));
  runner.check();
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/**
 * The runtime in small: a machine, its timers and its log, one command after the other. Each decision
 * is taken twice, which must give the same, and each record goes through its codec.
 */
export class TraceRunner {
  #settings: GroupSettings = settingsOf([]);
  #machine = new GroupMachine(this.#settings);
  #records: GroupRecord[] = [];
  readonly #timers = new Map<string, { atMs: number; command: GroupCommand }>();
  readonly #labels = new Map<ReplyToken, string>();
  #monotonicMs = 0;
  #wallAheadMs = 0;
  #requests = 0;
  #ids = 0;
  #out: string[] = [];

  /** Requests that have no answer yet. */
  get parked(): readonly string[] {
    return [...this.#labels.values()];
  }

  get groups(): ReadonlyMap<string, ClassicGroup> {
    return this.#machine.groups;
  }

  block(block: string): string {
    const lines = block.split('\n');
    const divider = lines.indexOf('----');
    const above = divider === -1 ? lines : lines.slice(0, divider);
    this.#out = [];
    const commands = above.filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of commands) this.#line(line);
    if (commands.length === 0) return above.join('\n');
    return [...above, '----', ...this.#out].join('\n');
  }

  /** What is logged, replayed into a fresh machine, gives the state that is there. */
  check(): void {
    const live = [...this.#machine.snapshot()];
    const replayed = this.#replayed();
    if (!isDeepStrictEqual(encoded(replayed), encoded(this.#machine))) {
      throw new AssertionFailure('replaying the records gives another state');
    }
    checkGroups(this.#machine);
    checkReplayed(this.#machine, replayed);
    const copied = new GroupMachine(this.#settings);
    for (const record of live) copied.replay(record);
    if (!isDeepStrictEqual(encoded(copied), encoded(this.#machine))) {
      throw new AssertionFailure('a checkpoint gives another state');
    }
    // A group whose offsets are gone, and that had nothing else, is in no checkpoint.
    const logged = new Set(live.map(({ groupId }) => groupId));
    checkReplayed(this.#machine, copied, (groupId) => logged.has(groupId));
    if (this.#machine.liveRecords() !== live.length) {
      throw new AssertionFailure('the number of live records is another');
    }
  }

  #line(line: string): void {
    const [first = '', ...rest] = words(line);
    if (first === 'advance') {
      this.#advance(Number(rest[0]));
    } else if (first === 'settings') {
      this.#settings = settingsOf(rest);
      this.#load();
    } else if (first === 'load') {
      this.#load();
    } else if (first === 'step-wall-clock') {
      this.#wallAheadMs += Number(rest[0]);
    } else if (first === 'topics-deleted') {
      this.#execute(parseCommand([first, ...rest]), undefined);
    } else if (first === 'unwritten') {
      this.#request(rest, true);
    } else {
      this.#request([first, ...rest], false);
    }
  }

  #request([first = '', ...rest]: readonly string[], isUnwritten: boolean): void {
    const isLabelled = first.startsWith('@');
    this.#requests += 1;
    const token = this.#requests as ReplyToken;
    this.#labels.set(token, isLabelled ? first : `#${this.#requests}`);
    this.#execute(parseCommand(isLabelled ? rest : [first, ...rest]), token, isUnwritten);
  }

  #replayed(): GroupMachine {
    const machine = new GroupMachine(this.#settings);
    for (const record of this.#records) machine.replay(record);
    return machine;
  }

  /** The next coordinator takes over: what is not logged is gone. */
  #load(): void {
    this.#machine = this.#replayed();
    this.#timers.clear();
    this.#labels.clear();
    for (const { name, delayMs, command } of this.#machine.deadlinesAfterLoad()) {
      if (delayMs === undefined || command === undefined) continue;
      const atMs = this.#monotonicMs + delayMs;
      this.#timers.set(name, { atMs, command });
      if (name !== 'expire-offsets') this.#out.push(`timer ${name} at=${atMs}`);
    }
  }

  #advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= endMs);
      const [next] = due.sort(([, a], [, b]) => a.atMs - b.atMs);
      if (next === undefined) break;
      const [name, { atMs, command }] = next;
      this.#timers.delete(name);
      this.#monotonicMs = Math.max(this.#monotonicMs, atMs);
      if (name !== 'expire-offsets') this.#out.push(`due ${formatCommand(command)} at=${atMs}`);
      this.#execute(command, undefined);
    }
    this.#monotonicMs = endMs;
  }

  /** `isUnwritten`: the log takes no records of it. */
  #execute(command: GroupCommand, token: ReplyToken | undefined, isUnwritten = false): void {
    const ids = this.#ids;
    const before = this.#machine.decide(command, this.#input(token));
    this.#ids = ids;
    const effects = this.#machine.decide(command, this.#input(token));
    const shown = this.#format(effects);
    if (!isDeepStrictEqual(shown, this.#format(before))) {
      throw new AssertionFailure('deciding twice gives something else');
    }
    if (isUnwritten && effects.records.length > 0) {
      this.#refuse(token, effects.ifUnwritten);
      return;
    }
    this.#out.push(...shown);
    for (const record of effects.records) {
      const { key, value } = groupRecordCodec.encode(record, this.#nowMs());
      const decoded = groupRecordCodec.decode(key, value);
      if (decoded === undefined) throw new AssertionFailure('a record that cannot be read');
      this.#records.push(decoded);
      this.#machine.replay(record);
    }
    for (const note of effects.notes) this.#machine.note(note);
    for (const { name, delayMs, command: due } of effects.timers) {
      if (delayMs === undefined) this.#timers.delete(name);
      else if (due !== undefined) {
        this.#timers.set(name, { atMs: this.#monotonicMs + delayMs, command: due });
      }
    }
    for (const { token: answered } of effects.replies) this.#labels.delete(answered);
  }

  #refuse(token: ReplyToken | undefined, instead: GroupCommand | undefined): void {
    if (token !== undefined) {
      this.#out.push(`refused ${this.#labels.get(token)}`);
      this.#labels.delete(token);
    }
    if (instead === undefined) return;
    this.#out.push(`instead ${formatCommand(instead)}`);
    this.#execute(instead, undefined);
  }

  /** Timers of expiry are left out: every trace would have them. */
  #format(effects: Effects<GroupVocabulary>): string[] {
    const timers = effects.timers.filter(
      ({ name, delayMs }) =>
        name !== 'expire-offsets' && (delayMs !== undefined || this.#timers.has(name)),
    );
    return [
      ...effects.records.map((record) => `record ${formatRecord(record)}`),
      ...timers.map(({ name, delayMs }) => {
        return `timer ${name} ${delayMs === undefined ? 'cleared' : `at=${this.#monotonicMs + delayMs}`}`;
      }),
      ...effects.replies.map(({ token, reply }) => {
        const label = this.#labels.get(token);
        if (label === undefined) throw new AssertionFailure('a reply to nobody');
        return `reply ${label} ${formatReply(reply)}`;
      }),
    ];
  }

  #nowMs(): number {
    return this.#monotonicMs + this.#wallAheadMs;
  }

  #input(token: ReplyToken | undefined): Input {
    return {
      nowMs: this.#nowMs(),
      token,
      newId: () => {
        this.#ids += 1;
        return String(this.#ids);
      },
    };
  }
}

/** The logged state of a machine as bytes, sorted: a tombstone and a new record move a group to the end. */
function encoded(machine: GroupMachine): string[] {
  const records = [...machine.snapshot()].map((record) => {
    const { key, value } = groupRecordCodec.encode(record, 0);
    return [key, value].map((bytes) => Buffer.from(bytes ?? []).toString('hex')).join(' ');
  });
  return records.sort();
}
