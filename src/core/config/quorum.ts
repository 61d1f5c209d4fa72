import type { Listener } from './listeners.ts';
import type { ConfigProblem } from './problem.ts';
import type { SettingValues } from './setting-values.ts';

/** Whether roles and quorum describe what can be run: one node that is broker and controller. */
export function checkRolesAndQuorum(
  values: SettingValues,
  controllerListeners: readonly Listener[],
): readonly ConfigProblem[] {
  const problems = [checkRoles(values), checkVoters(values)];
  problems.push(checkBootstrapServers(values, controllerListeners), checkQuorumIsNamed(values));
  return problems.filter((problem) => problem !== undefined);
}

function checkRoles(values: SettingValues): ConfigProblem | undefined {
  const roles = values.list('process.roles');
  if (roles.includes('broker') && roles.includes('controller')) return undefined;
  const reason = 'one role alone needs a cluster, which is not built; use broker,controller';
  return problem('process.roles', `process.roles=${roles.join(',')} is refused: ${reason}.`);
}

function checkVoters(values: SettingValues): ConfigProblem | undefined {
  const name = 'controller.quorum.voters';
  const voters = values.list(name);
  const nodeId = String(values.number('node.id'));
  for (const voter of voters) {
    const id = /^(\d+)@[^@\s]+:\d{1,5}$/.exec(voter)?.[1];
    if (id === undefined) return problem(name, `${name} wants {id}@{host}:{port}, not '${voter}'.`);
    if (Number(id) !== Number(nodeId) && voters.length === 1) {
      return problem(name, `${name} must contain this node, ${nodeId}, and not ${id}.`);
    }
  }
  if (voters.length <= 1) return undefined;
  return problem(name, `${name} names ${voters.length} controllers: ${onlyOne}.`);
}

function checkBootstrapServers(
  values: SettingValues,
  controllerListeners: readonly Listener[],
): ConfigProblem | undefined {
  const name = 'controller.quorum.bootstrap.servers';
  const servers = values.list(name);
  const [server] = servers;
  if (server === undefined) return undefined;
  if (servers.length > 1) {
    return problem(name, `${name} names ${servers.length} controllers: ${onlyOne}.`);
  }
  const port = /^[^@\s]+:(\d{1,5})$/.exec(server)?.[1];
  if (port === undefined) return problem(name, `${name} wants {host}:{port}, not '${server}'.`);
  // Port 0 stands for the one that will be bound.
  const ports = [0, Number(port)];
  const isOwn = port === '0' || controllerListeners.some((own) => ports.includes(own.port));
  if (isOwn) return undefined;
  return problem(name, `${name}=${server} is not a controller listener of this node: ${onlyOne}.`);
}

function checkQuorumIsNamed(values: SettingValues): ConfigProblem | undefined {
  const names = ['controller.quorum.voters', 'controller.quorum.bootstrap.servers'];
  if (names.some((name) => values.list(name).length > 0)) return undefined;
  return problem(names[0] ?? '', `One of ${names.join(' and ')} must be set.`);
}

const onlyOne = 'a cluster of several nodes is not built';

function problem(name: string, message: string): ConfigProblem {
  return { name, message };
}
