import type { Recorded } from '../../integration/support/normalise.ts';
import { type Difference, differencesOf, lineOf } from './differences.ts';
import type { Exchange } from './exchange.ts';
import { type Known, knownAs } from './known.ts';
import { logsOf } from './log-view.ts';
import type { Side } from './side.ts';
import { fieldOf, listOf, shown } from './tree.ts';

const SHOWN_OF_A_KIND = 2;
const LINES_OF_A_DIFFERENCE = 6;
const HISTORY_LINES = 12;
const HISTORY_KEPT = 2000;
const REQUEST_WIDTH = 1600;
const KIND_WIDTH = 200;

/** Compares what was answered, and prints each kind of difference as it comes. */
export class Report {
  readonly #print: (text: string) => void;
  readonly #sides: readonly Side[];
  readonly #ofGroups: Exchange[] = [];
  readonly #kinds = new Map<string, number>();
  readonly #asked = new Map<string, number>();
  readonly #known = new Map<Known, number>();
  #newDifferences = 0;

  constructor(sides: readonly Side[], print: (text: string) => void) {
    this.#sides = sides;
    this.#print = print;
  }

  /** No difference but known ones so far. */
  get isClean(): boolean {
    return this.#newDifferences === 0;
  }

  /** Resolves with whether there was no difference but known ones. */
  async add(exchange: Exchange): Promise<boolean> {
    count(this.#asked, exchange.apiName);
    if (groupsOf(exchange.request).length > 0) this.#remember(exchange);
    const differences = differencesOf(exchange.kafka, exchange.ours);
    const fresh = differences.filter((difference) => {
      const known = knownAs(difference, exchange);
      if (known !== undefined) count(this.#known, known);
      return known === undefined;
    });
    if (fresh.length === 0) return true;
    this.#newDifferences += 1;
    if (count(this.#kinds, kindOf(exchange, fresh)) <= SHOWN_OF_A_KIND) {
      this.#print((await this.#described(exchange, fresh)).join('\n'));
    }
    return false;
  }

  /** Printed last. */
  summary(): string {
    const asked = [...this.#asked].sort().map(([apiName, times]) => `${apiName} ${times}`);
    const known = [...this.#known].map(
      ([{ apiName, reason }, times]) => `known: ${apiName}, ${reason}: ${times}`,
    );
    const kinds = [...this.#kinds].map(([kind, times]) => `NEW: ${kind}: ${times}`);
    const end = `${this.#newDifferences} requests with differences that are not known`;
    return ['', ...known, ...kinds, asked.join(', '), end].join('\n');
  }

  #remember(exchange: Exchange): void {
    this.#ofGroups.push(exchange);
    if (this.#ofGroups.length > HISTORY_KEPT) this.#ofGroups.shift();
  }

  async #described(exchange: Exchange, fresh: readonly Difference[]): Promise<readonly string[]> {
    const { step, apiName, version, request } = exchange;
    const logs = ['Fetch', 'ListOffsets', 'OffsetForLeaderEpoch'].includes(apiName)
      ? await logsOf(this.#sides, exchange)
      : [];
    return [
      '',
      `#${step} ${apiName} v${version} DIFFERS (Kafka / ours)`,
      ...fresh.slice(0, LINES_OF_A_DIFFERENCE).map((difference) => `  ${lineOf(difference)}`),
      `  request ${shown(request, REQUEST_WIDTH)}`,
      ...logs,
      ...this.#historyOf(exchange),
    ];
  }

  /** What was asked about the groups of this request lately. */
  #historyOf({ request }: Exchange): readonly string[] {
    const groups = groupsOf(request);
    const related = this.#ofGroups.filter((other) =>
      groupsOf(other.request).some((group) => groups.includes(group)),
    );
    return related.slice(-HISTORY_LINES).map(({ step, apiName, version, ...other }) => {
      const asked = `@${step} ${apiName} v${version} ${shown(other.request, 420)}`;
      return `    ${asked} -> ${answersShown(other.kafka, other.ours)}`;
    });
  }
}

function answersShown(kafka: Recorded, ours: Recorded): string {
  const [its, mine] = [shown(kafka, 260), shown(ours, 260)];
  return its === mine ? its : `${its} / ${mine}`;
}

/** Differences of one kind have the same names and codes; what else they hold is not counted. */
function kindOf({ apiName }: Exchange, differences: readonly Difference[]): string {
  const lines = differences.map(({ path, kafka, ours }) => {
    const place = path.replace(/\.\d+/g, '');
    const isCode = typeof kafka === 'number' && typeof ours === 'number';
    return isCode ? `${place} ${kafka} / ${ours}` : `${place}`;
  });
  return `${apiName} ${[...new Set(lines)].join('; ').slice(0, KIND_WIDTH)}`;
}

/** The groups that a request is about. */
function groupsOf(request: unknown): readonly unknown[] {
  const many = [...listOf(request, 'groups'), ...listOf(request, 'groupsNames')];
  const named = many.map((group) =>
    typeof group === 'string' ? group : fieldOf(group, 'groupId'),
  );
  return [fieldOf(request, 'groupId'), ...named].filter((group) => group !== undefined);
}

function count<Key>(counts: Map<Key, number>, key: Key): number {
  const times = (counts.get(key) ?? 0) + 1;
  counts.set(key, times);
  return times;
}
