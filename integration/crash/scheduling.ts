import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/*
 * An attacker on another machine takes no processor from the broker or from its client. Here it would, and what is
 * measured is then the scheduler: an idle policy is not enough, as the fair scheduler lets even that have a slice of
 * some milliseconds while a thread that has just been preempted waits. So the client and the broker are made real-time
 * threads, which come before all others, and the attacker is any process: it has what they leave. What the kernel
 * does in its name stays. On loopback its sends also run the receiving side of TCP, as a network card's interrupts
 * would, and where the kernel is built without preemption a system call of it is not interrupted.
 */

/** A client elsewhere would have a processor of its own. */
const CLIENT = 3;
/** Reactors ask the scheduler to be served first when they wake up; real-time threads are not asked. */
const REACTOR = 2;
const BROKER = 1;

/** Makes this process, not its children, and the broker come first; gives what ends that, or says why it cannot. */
export function comeFirst(brokerPid: number): () => void {
  const client = String(process.pid);
  const isDone =
    chrt('-a', '-r', '-p', String(BROKER), String(brokerPid)) &&
    reactorsOf(brokerPid).every((tid) => chrt('-r', '-p', String(REACTOR), tid)) &&
    chrt('-R', '-r', '-p', String(CLIENT), client);
  if (!isDone) console.log('  no real-time threads here: the attacker competes for the processors');
  return () => {
    if (isDone) chrt('-o', '-p', '0', client);
  };
}

function reactorsOf(pid: number): string[] {
  const tasks = `/proc/${pid}/task`;
  const isReactor = (tid: string) => /^ms-r\d/.test(readFileSync(`${tasks}/${tid}/comm`, 'utf8'));
  return readdirSync(tasks).filter(isReactor);
}

function chrt(...args: string[]): boolean {
  return spawnSync('chrt', args).status === 0;
}
