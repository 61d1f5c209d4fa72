import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from './adapter.ts';
import {
  buildC,
  buildGo,
  clientJars,
  compileJava,
  fetchJars,
  installPython,
  toolJars,
} from './install.ts';
import { olderFranzGo, olderLibrdkafka } from './older.ts';
import { clientsFolder, repositoryRoot } from './paths.ts';

export interface Client {
  readonly name: string;
  /** Installs what is missing and says how to start the adapter. Throws when it cannot. */
  readonly prepare: () => Promise<Launch>;
}

/** Every client that the scenario knows, the slowest first so that they overlap best. */
export const clients: readonly Client[] = [
  { name: 'kafkajs', prepare: () => node('kafkajs') },
  { name: 'console-tools', prepare: () => java('console-tools', toolJars) },
  { name: 'java', prepare: () => java('java', clientJars) },
  { name: 'kcat', prepare: () => node('kcat') },
  { name: 'aiokafka', prepare: () => python('aiokafka') },
  { name: 'confluent-kafka', prepare: () => python('confluent-kafka') },
  { name: 'franz-go', prepare: franzGo },
  { name: 'librdkafka', prepare: librdkafka },
];

async function node(name: string): Promise<Launch> {
  const tsx = join(repositoryRoot, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  return { program: process.execPath, args: [tsx, join(clientsFolder, name, 'adapter.ts')] };
}

async function java(name: string, jars: typeof clientJars): Promise<Launch> {
  const classPath = await fetchJars(jars);
  const own = readdirSync(join(clientsFolder, name)).filter((file) => file.endsWith('.java'));
  const sources = own.map((file) => join(clientsFolder, name, file));
  const shared = join(clientsFolder, 'Serve.java');
  const classes = await compileJava(name, classPath, [...sources, shared]);
  const logging = join(clientsFolder, 'log4j2.properties');
  return {
    program: 'java',
    args: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      `-Dlog4j2.configurationFile=${logging}`,
      '-cp',
      `${classes}:${classPath}`,
      'Adapter',
    ],
  };
}

async function python(name: string): Promise<Launch> {
  const folder = join(clientsFolder, name);
  const interpreter = await installPython(name, join(folder, 'requirements.txt'));
  return {
    program: interpreter,
    args: ['-u', join(folder, 'adapter.py')],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  };
}

async function franzGo(): Promise<Launch> {
  await olderFranzGo.prepare();
  return { program: await buildGo('franz-go', join(clientsFolder, 'franz-go')), args: [] };
}

async function librdkafka(): Promise<Launch> {
  await olderLibrdkafka.prepare();
  const folder = join(clientsFolder, 'librdkafka');
  const program = await buildC('librdkafka', folder, ['rdkafka', 'cjson', 'pthread']);
  return { program, args: [] };
}
