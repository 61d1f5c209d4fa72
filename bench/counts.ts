/** What one function costs, whatever the machine: instructions of our own code, and how often it calls libraries. */
export interface Count {
  readonly instructions: number;
  /** Calls of the C library: allocations and copies. Its own instructions depend on its version and the processor. */
  readonly callsOutside: number;
}

/** The counts that a change is held against, and the compiler that made the code. */
export interface Baseline {
  readonly rustc: string;
  readonly counts: Readonly<Record<string, Count>>;
}

export interface Verdict {
  readonly name: string;
  /** Against the baseline: 0.01 is one percent more. `undefined` where there is nothing to compare with. */
  readonly change: number | undefined;
  readonly isRegression: boolean;
  readonly text: string;
}

const ALLOWED = 0.01;

/** Reads one dump of callgrind, written without compressed names. Counts what `program` itself executes. */
export function readCallgrind(dump: string, program: string): Count {
  let instructions = 0;
  let callsOutside = 0;
  let isOurs = false;
  let isCalleeOurs: boolean | undefined;
  let isInclusive = false;
  const isProgram = (line: string) => line.slice(line.indexOf('=') + 1) === program;
  for (const line of dump.split('\n')) {
    if (line.startsWith('ob=')) isOurs = isProgram(line);
    else if (line.startsWith('cob=')) isCalleeOurs = isProgram(line);
    else if (line.startsWith('calls=')) {
      if (isOurs && isCalleeOurs === false) callsOutside += Number.parseInt(line.slice(6), 10);
      isCalleeOurs = undefined;
      isInclusive = true; // The next line is the cost of the callee.
    } else if (/^[0-9+*-]/.test(line)) {
      if (isOurs && !isInclusive) instructions += Number(line.split(' ').at(-1));
      isInclusive = false;
    }
  }
  return { instructions, callsOutside };
}

/** Holds what was counted against the baseline. One percent more of either is a regression, and so is a function that is gone. */
export function judgeCounts(baseline: Baseline, counted: Baseline['counts']): Verdict[] {
  const names = new Set([...Object.keys(baseline.counts), ...Object.keys(counted)]);
  return [...names].map((name) => judge(name, baseline.counts[name], counted[name]));
}

function judge(name: string, before: Count | undefined, now: Count | undefined): Verdict {
  if (before === undefined || now === undefined) {
    const text = before === undefined ? 'not in the baseline' : 'no longer counted';
    return { name, change: undefined, isRegression: true, text };
  }
  const change = now.instructions / before.instructions - 1;
  const isMoreCalls =
    now.callsOutside >= before.callsOutside * (1 + ALLOWED) && // of none, any is more
    now.callsOutside > before.callsOutside;
  const isRegression = change >= ALLOWED || isMoreCalls;
  const percent = `${change < 0 ? '' : '+'}${(change * 100).toFixed(2)} %`;
  const calls = `library calls ${before.callsOutside} -> ${now.callsOutside}`;
  const text = `${before.instructions} -> ${now.instructions} (${percent}), ${calls}`;
  return { name, change, isRegression, text };
}
