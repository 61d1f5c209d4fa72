import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Recoder } from './cases.ts';
import { Peer } from './peer.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const parts: Readonly<Record<string, string>> = {
  ProduceRequest: '0 VERSION request',
  ProduceResponse: '0 VERSION response',
  FetchRequest: '1 VERSION request',
  FetchResponse: '1 VERSION response',
};

/** The readers and writers of the data plane, which live in Rust: Produce, Fetch and all headers. */
export class RustPeer implements Recoder {
  readonly name = 'Rust';
  readonly #peer: Peer;

  constructor() {
    const manifest = join(root, 'native', 'Cargo.toml');
    const build = [
      'build',
      '--release',
      '--locked',
      '--quiet',
      '-p',
      'ms-wire',
      '--bin',
      'wire_peer',
    ];
    execFileSync('cargo', [...build, '--manifest-path', manifest], { stdio: ['ignore', 2, 2] });
    const target = process.env.CARGO_TARGET_DIR ?? join(root, 'native', 'target');
    this.#peer = new Peer(this.name, join(target, 'release', 'wire_peer'), []);
  }

  /** Whether the data plane has this message. */
  has(message: string): boolean {
    return message in parts;
  }

  recode(message: string, version: number, hex: string): Promise<string> {
    return this.#peer.ask(`${parts[message]?.replace('VERSION', String(version))} ${hex}`);
  }

  /** The header of a request of that API and version; the header's version follows from both. */
  recodeHeader(
    kind: 'request' | 'response',
    key: number,
    version: number,
    hex: string,
  ): Promise<string> {
    return this.#peer.ask(`${key} ${version} ${kind}-header ${hex}`);
  }

  close(): void {
    this.#peer.close();
  }
}
