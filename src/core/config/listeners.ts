import type { ConfigProblem } from './problem.ts';
import type { SettingValues } from './setting-values.ts';

/** Where the broker listens. Host '' means every address of the machine; port 0 means any free port. */
export interface Listener {
  /** In capitals, as Kafka normalises it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: 'PLAINTEXT';
}

/** What is told to clients of the listener of that name. */
export interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The addresses of one broker. Client listeners that are not advertised are in no Metadata answer. */
export interface Addresses {
  readonly listeners: readonly Listener[];
  readonly controllerListeners: readonly Listener[];
  readonly advertisedListeners: readonly Endpoint[];
  readonly interBrokerListenerName: string;
}

/** Reads the settings of listeners with Kafka's rules. `hostName` is advertised where no host is given. */
export function readListeners(
  values: SettingValues,
  hostName: string,
): { readonly addresses: Addresses } | { readonly problem: ConfigProblem } {
  try {
    return { addresses: readAll(values, hostName) };
  } catch (error) {
    if (error instanceof Refused) return { problem: error.problem };
    throw error;
  }
}

class Refused extends Error {
  readonly problem: ConfigProblem;

  constructor(name: string, message: string) {
    super(message);
    this.problem = { name, message };
  }
}

function readAll(values: SettingValues, hostName: string): Addresses {
  const controllerNames = values.list('controller.listener.names');
  const protocols = securityProtocols(values, controllerNames);
  const bound = endpoints(values, 'listeners', protocols);
  requireDistinct(bound);
  const boundNames = bound.map(({ name }) => name);
  for (const name of controllerNames) {
    if (boundNames.includes(name)) continue;
    const setting = 'controller.listener.names';
    throw new Refused(setting, `${setting} names ${name}, which is not one of listeners.`);
  }
  const isController = ({ name }: Endpoint) => controllerNames.includes(name);
  const listeners = bound.filter((endpoint) => !isController(endpoint));
  const advertised = values.isSet('advertised.listeners')
    ? endpoints(values, 'advertised.listeners', protocols)
    : bound;
  const advertisedListeners = advertised
    .filter((endpoint) => !isController(endpoint))
    .map((endpoint) => ({ ...endpoint, host: endpoint.host === '' ? hostName : endpoint.host }));
  checkAdvertised(advertisedListeners, boundNames);
  return {
    listeners: listeners.map(plaintext),
    controllerListeners: bound.filter(isController).map(plaintext),
    advertisedListeners,
    interBrokerListenerName: interBrokerName(values, protocols, advertisedListeners),
  };
}

const plaintext = (endpoint: Endpoint): Listener => ({
  ...endpoint,
  securityProtocol: 'PLAINTEXT',
});

/** Protocol of each listener name; controller names are PLAINTEXT where nothing else was said. */
function securityProtocols(values: SettingValues, controllerNames: readonly string[]) {
  const setting = 'listener.security.protocol.map';
  const protocols = new Map<string, string>();
  for (const pair of splitList(values.optionalText(setting) ?? '')) {
    const colon = pair.lastIndexOf(':');
    const name = pair.slice(0, colon).trim().toUpperCase();
    const protocol = pair.slice(colon + 1).trim();
    if (colon <= 0 || !knownProtocols.includes(protocol)) {
      const rule = `${setting} wants {listener name}:{protocol} with one of ${knownProtocols.join(', ')}`;
      throw new Refused(setting, `${rule}, not '${pair}'.`);
    }
    if (protocols.has(name)) throw new Refused(setting, `${setting} names ${name} twice.`);
    protocols.set(name, protocol);
  }
  if (!values.isSet(setting)) {
    for (const name of controllerNames) if (!protocols.has(name)) protocols.set(name, 'PLAINTEXT');
  }
  return protocols;
}

const knownProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];

function endpoints(
  values: SettingValues,
  setting: string,
  protocols: ReadonlyMap<string, string>,
): readonly Endpoint[] {
  return values.list(setting).map((text) => {
    const parts = /^(.+):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(\d+)$/.exec(text);
    const [name = '', host = '', port = ''] = parts?.slice(1) ?? [];
    if (parts === null || Number(port) > 65_535) {
      throw new Refused(setting, `${setting} wants {name}://{host}:{port}, not '${text}'.`);
    }
    const endpoint = { name: name.toUpperCase(), host, port: Number(port) };
    requirePlaintext(setting, endpoint.name, protocols);
    return endpoint;
  });
}

function requirePlaintext(setting: string, name: string, protocols: ReadonlyMap<string, string>) {
  const protocol = protocols.get(name);
  if (protocol === 'PLAINTEXT') return;
  if (protocol === undefined) {
    const map = 'listener.security.protocol.map';
    throw new Refused(setting, `${map} has no protocol for listener ${name}.`);
  }
  const reason = `it uses ${protocol}, and only PLAINTEXT is built`;
  throw new Refused(setting, `Listener ${name} is refused: ${reason}.`);
}

function requireDistinct(bound: readonly Endpoint[]): void {
  for (const [i, endpoint] of bound.entries()) {
    for (const other of bound.slice(0, i)) {
      if (other.name === endpoint.name) {
        throw new Refused('listeners', `listeners names ${endpoint.name} twice.`);
      }
      if (endpoint.port === 0 || other.port !== endpoint.port) continue;
      if (familyOf(other.host) + familyOf(endpoint.host) === 10) continue;
      const rule = 'only an IPv4 and an IPv6 address may share one';
      throw new Refused('listeners', `listeners uses port ${endpoint.port} twice: ${rule}.`);
    }
  }
}

/** 4 or 6 for an address, 0 for a name. */
function familyOf(host: string): number {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return 4;
  return host.includes(':') ? 6 : 0;
}

function checkAdvertised(advertised: readonly Endpoint[], boundNames: readonly string[]): void {
  const setting = 'advertised.listeners';
  if (advertised.length === 0) {
    const hint = 'those of controller.listener.names are not for clients';
    throw new Refused(setting, `Clients are told of no listener: ${hint}.`);
  }
  for (const { name, host } of advertised) {
    if (!boundNames.includes(name)) {
      throw new Refused(setting, `${setting} names ${name}, which is not one of listeners.`);
    }
    if (host === '0.0.0.0') {
      const fix = 'set advertised.listeners to an address that clients can reach';
      throw new Refused(setting, `Listener ${name} cannot be advertised as 0.0.0.0: ${fix}.`);
    }
  }
}

function interBrokerName(
  values: SettingValues,
  protocols: ReadonlyMap<string, string>,
  advertised: readonly Endpoint[],
): string {
  const setting = 'inter.broker.listener.name';
  const isNamed = values.isSet(setting);
  if (isNamed && values.isSet('security.inter.broker.protocol')) {
    const rule = 'and security.inter.broker.protocol exclude each other: set one of them';
    throw new Refused(setting, `${setting} ${rule}.`);
  }
  const name = (values.optionalText(setting) ?? 'PLAINTEXT').toUpperCase();
  if (isNamed) requirePlaintext(setting, name, protocols);
  if (advertised.some((endpoint) => endpoint.name === name)) return name;
  const options = advertised.map((endpoint) => endpoint.name).join(', ');
  throw new Refused(
    setting,
    `${setting} must be an advertised listener (${options}), not ${name}.`,
  );
}

function splitList(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.trim().split(/\s*,\s*/);
}
