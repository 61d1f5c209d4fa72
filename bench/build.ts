import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';

/** Where Cargo puts a program. */
export function programPath(program: string): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(repositoryRoot, 'native', 'target');
  return join(target, 'release', program);
}

/** Builds a program of the workspace in the one profile there is; its path, or nothing when that fails. */
export function buildProgram(
  crate: string,
  program: string,
  environment: Readonly<Record<string, string>> = {},
): string | undefined {
  const manifest = ['--manifest-path', 'native/Cargo.toml'];
  const { status } = spawnSync(
    'cargo',
    ['build', '--release', '--locked', '-p', crate, ...manifest],
    {
      cwd: repositoryRoot,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...environment },
    },
  );
  return status === 0 ? programPath(program) : undefined;
}
