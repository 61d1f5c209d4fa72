import { join } from 'node:path';
import { buildCargo, buildGoVersion, goVersions } from './install.ts';
import { clientsFolder } from './paths.ts';

/** Programs built with older versions of a client. One that cannot be built fails where it is asked for, and nothing else. */
export class OlderPrograms {
  readonly versions: readonly string[];
  readonly #build: (version: string) => Promise<string>;
  readonly #programs = new Map<string, Promise<string>>();

  constructor(versions: readonly string[], build: (version: string) => Promise<string>) {
    this.versions = versions;
    this.#build = build;
  }

  /** The program of a version. It is built, or tried to, once in a run. */
  program(version: string): Promise<string> {
    const program = this.#programs.get(version) ?? this.#build(version);
    this.#programs.set(version, program);
    return program;
  }

  /** Returns when all are built that can be: a step has no time for it. */
  async prepare(): Promise<void> {
    await Promise.allSettled(this.versions.map((version) => this.program(version)));
  }
}

const goFolder = join(clientsFolder, 'franz-go-older');
const cargoFolder = join(clientsFolder, 'librdkafka-older');

export const olderFranzGo = new OlderPrograms(goVersions(goFolder), (version) =>
  buildGoVersion(goFolder, version),
);
export const olderLibrdkafka = new OlderPrograms(['1.9.2'], () => buildCargo(cargoFolder));
