import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { alone } from '../../tools/alone.mjs';
import { installOnce } from './cache.ts';
import { runCommand } from './commands.ts';

export interface JarSet {
  readonly name: string;
  /** `group:artifact:version` */
  readonly artifacts: readonly string[];
}

// Kafka's release archive ships a logging backend which its Maven artifacts do not ask for.
const logging = ['org.apache.logging.log4j:log4j-slf4j-impl:2.25.5'];
const kafka = (version: string, artifacts: string[]) =>
  artifacts.map((artifact) => `org.apache.kafka:${artifact}:${version}`);

export const brokerJars: JarSet = {
  name: 'kafka-4.4.0',
  artifacts: [...kafka('4.4.0', ['kafka_2.13', 'kafka-server']), ...logging],
};
export const clientJars: JarSet = {
  name: 'kafka-clients-4.4.0',
  artifacts: [
    ...kafka('4.4.0', ['kafka-clients']),
    'com.fasterxml.jackson.core:jackson-databind:2.21.2',
    ...logging,
  ],
};
/** Kafka's own classes, with which the oracle compares. */
export const oracleJars: JarSet = {
  name: 'kafka-oracle-4.4.0',
  artifacts: [
    ...kafka('4.4.0', ['kafka-clients', 'kafka-group-coordinator']),
    'com.fasterxml.jackson.core:jackson-databind:2.19.2',
    'org.slf4j:slf4j-nop:1.7.36',
  ],
};
export const toolJars: JarSet = {
  name: 'kafka-tools-4.3.1',
  artifacts: [...kafka('4.3.1', ['kafka-tools']), ...logging],
};

/** Downloads a set of jars with all they need; returns the Java class path. */
export async function fetchJars(set: JarSet): Promise<string> {
  const folder = await installOnce(set.name, set.artifacts, async (target) => {
    // One Maven at a time: two would write the same local repository.
    const leave = await alone('memorystreamer-test-maven', () =>
      console.log(`install ${set.name}: another Maven is at work; waiting for it ...`),
    );
    await copyJars(set, target).finally(leave);
  });
  return join(folder, '*');
}

async function copyJars(set: JarSet, folder: string): Promise<void> {
  const dependencies = set.artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>${set.name}</artifactId>
<version>1</version><dependencies>${dependencies.join('\n')}</dependencies></project>`;
  writeFileSync(join(folder, 'pom.xml'), pom);
  const args = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  await runCommand('mvn', [...args, `-DoutputDirectory=${folder}`], {
    cwd: folder,
    timeoutMs: 300_000,
  });
}

/** Compiles Java sources against a class path; returns the folder of classes. */
export function compileJava(name: string, classPath: string, sources: string[]): Promise<string> {
  const texts = sources.map((source) => readFileSync(source, 'utf8'));
  return installOnce(`${name}-classes`, [classPath, ...texts], async (folder) => {
    const args = ['-proc:none', '-nowarn', '-d', folder, '-cp', classPath, ...sources];
    await runCommand('javac', args, { timeoutMs: 120_000 });
  });
}

/** A Python environment with exactly the given requirements; returns its interpreter. */
export async function installPython(name: string, requirements: string): Promise<string> {
  const folder = await installOnce(
    `python-${name}`,
    [readFileSync(requirements, 'utf8')],
    async (target) => {
      await runCommand('python3', ['-m', 'venv', target], { timeoutMs: 120_000 });
      const pip = ['-m', 'pip', 'install', '-q', '--only-binary=:all:', '-r', requirements];
      await runCommand(join(target, 'bin', 'python'), pip, { timeoutMs: 300_000 });
    },
  );
  return join(folder, 'bin', 'python');
}

/** Builds a Go module whose go.mod and go.sum are committed; returns the program. */
export async function buildGo(name: string, sourceFolder: string): Promise<string> {
  const inputs = ['main.go', 'go.mod', 'go.sum'].map((file) =>
    readFileSync(join(sourceFolder, file), 'utf8'),
  );
  const folder = await installOnce(`go-${name}`, inputs, async (target) => {
    const args = ['build', '-mod=readonly', '-o', join(target, 'adapter'), '.'];
    await runCommand('go', args, { cwd: sourceFolder, timeoutMs: 600_000 });
  });
  return join(folder, 'adapter');
}

/** The versions of a client that a Go program is built with: those of its files `<version>.mod`. */
export function goVersions(sourceFolder: string): string[] {
  return readdirSync(sourceFolder)
    .filter((file) => file.startsWith('v') && file.endsWith('.mod'))
    .map((file) => file.slice(0, -'.mod'.length))
    .sort();
}

/** Builds a Go program with the version that `<version>.mod` and `<version>.sum` pin; returns it. */
export async function buildGoVersion(sourceFolder: string, version: string): Promise<string> {
  const mod = `${version}.mod`;
  const inputs = ['main.go', mod, `${version}.sum`].map((file) =>
    readFileSync(join(sourceFolder, file), 'utf8'),
  );
  const name = `go-${basename(sourceFolder)}-${version}`;
  const folder = await installOnce(name, inputs, async (target) => {
    const output = ['-o', join(target, 'program'), '.'];
    const args = ['build', '-mod=readonly', `-modfile=${mod}`, ...output];
    await runCommand('go', args, { cwd: sourceFolder, timeoutMs: 600_000 });
  });
  return join(folder, 'program');
}

/** Builds a Cargo project whose lock file is committed; returns its program, which has the name of the folder. */
export async function buildCargo(sourceFolder: string): Promise<string> {
  const name = basename(sourceFolder);
  const inputs = ['Cargo.toml', 'Cargo.lock', join('src', 'main.rs')].map((file) =>
    readFileSync(join(sourceFolder, file), 'utf8'),
  );
  const folder = await installOnce(`cargo-${name}`, inputs, async (target) => {
    const args = ['build', '--release', '--locked', '--quiet', '--target-dir', target];
    await runCommand('cargo', args, { cwd: sourceFolder, timeoutMs: 600_000 });
  });
  return join(folder, 'release', name);
}

/** Compiles the adapter.c of a folder; returns the program. */
export async function buildC(name: string, from: string, libraries: string[]): Promise<string> {
  const source = join(from, 'adapter.c');
  const sources = readdirSync(from)
    .filter((file) => /\.[ch]$/.test(file))
    .sort()
    .map((file) => readFileSync(join(from, file), 'utf8'));
  const folder = await installOnce(`c-${name}`, sources, async (target) => {
    const links = libraries.map((library) => `-l${library}`);
    const args = ['-O1', '-Wall', '-Werror', '-o', join(target, 'adapter'), source, ...links];
    await runCommand('cc', args, { timeoutMs: 60_000 });
  });
  return join(folder, 'adapter');
}
