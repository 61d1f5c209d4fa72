// The tidy test: layering, file length, banned calls. Prints each offence as path:line: reason.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lineLimit = 600;
// What each folder of src/ may import from the others.
const layers = {
  'kafka-protocol': [],
  engine: ['kafka-protocol'],
  core: ['engine', 'kafka-protocol'],
  cli: ['core', 'engine', 'kafka-protocol'],
};
const nodeBans = {
  'kafka-protocol': /^node:(?!zlib|assert)/,
  core: /^node:(net|fs|child_process|worker_threads|tls|dgram)/,
};
const rustLayers = {
  wire: [],
  log: ['wire'],
  consensus: [],
  intake: [],
  partition: ['wire', 'log', 'consensus', 'intake'],
  reactor: ['wire', 'log', 'consensus', 'intake', 'partition'],
  addon: ['wire', 'log', 'consensus', 'partition', 'reactor'],
};
const unsafeFiles = new Set([
  'native/reactor/src/sys.rs',
  'native/log/src/sys.rs',
  'native/loadgen/src/sys.rs', // Of a tool of the benchmarks.
]);
const pureCode = /^src\/core\/(group|controller|coordinator)\/(?!.*(runtime|test)).*\.ts$/;

const offences = [];
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => /\.(ts|mjs|cjs|rs|c|go|java|py)$/.test(path) && !path.includes('/generated/'));
for (const path of files) {
  let text;
  try {
    text = readFileSync(join(root, path), 'utf8');
  } catch {
    continue; // Deleted in the working tree.
  }
  const lines = text.split('\n');
  if (lines.length > lineLimit + 1)
    offence(path, lines.length, `longer than ${lineLimit} lines: find the seam`);
  for (const [i, line] of lines.entries()) checkLine(path, line, i + 1);
}
for (const text of offences) console.log(text);
console.log(`tidy: ${files.length} files, ${offences.length} offences`);
process.exit(offences.length === 0 ? 0 : 1);

function checkLine(path, line, number) {
  if (/\b(TO(?:)DO|FIX(?:)ME|X{3}|HA(?:)CK)\b/.test(line)) offence(path, number, 'leftover marker');
  if (
    /\b(it|test|describe)\.(skip|only|todo)\b|#\[ignore/.test(line) &&
    !path.startsWith('tools/tidy')
  )
    offence(path, number, 'skipped or exclusive test');
  if (path.startsWith('src/')) checkTypeScript(path, line, number);
  if (path.startsWith('native/')) checkRust(path, line, number);
}

function checkTypeScript(path, line, number) {
  const layer = path.split('/')[1];
  const imported = /^\s*(?:import|export)\b.*?\bfrom '([^']+)'|^\} from '([^']+)'/.exec(line);
  const specifier = imported?.[1] ?? imported?.[2];
  if (specifier !== undefined) checkImport(path, layer, specifier, number);
  const isTest = path.endsWith('.test.ts') || path.includes('/testing/');
  if (
    !isTest &&
    pureCode.test(path) &&
    /\b(Date\.now|Math\.random|setTimeout|setInterval|performance\.now)\b/.test(line)
  ) {
    offence(path, number, 'a state machine has no clock, timer or randomness');
  }
  if (isTest && /\bsetTimeout\(|\bDate\.now\(/.test(line))
    offence(path, number, 'unit tests have no sleeps and no real clock');
}

// What stands in testing/ is imported by tests alone and, like them, may read the disk.
function isTestCode(path) {
  return path.endsWith('.test.ts') || path.includes('/testing/');
}

function checkImport(path, layer, specifier, number) {
  if (specifier.endsWith('.node') && path !== 'src/engine/addon.ts')
    offence(path, number, 'only engine/addon.ts loads the addon');
  if (nodeBans[layer]?.test(specifier) && !isTestCode(path))
    offence(path, number, `${layer} may not import ${specifier}`);
  if (!specifier.startsWith('.')) return;
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  const [, targetLayer, ...rest] = target.split('/');
  if (!target.startsWith('src/')) return;
  if (targetLayer === layer) return checkFolders(path, rest, specifier, number);
  if (!layers[layer]?.includes(targetLayer))
    offence(path, number, `${layer} may not import ${targetLayer}`);
  else if (!/^([a-z-]+\/)?index\.ts$/.test(rest.join('/')) && !path.endsWith('.test.ts'))
    offence(path, number, `import a folder's index.ts, not ${specifier}`);
}

// Folders inside a layer: each has an index.ts, and nothing but handlers and what dispatches to them knows handlers.
function checkFolders(path, target, specifier, number) {
  const [, , own, file] = path.split('/');
  const [folder, name] = target;
  if (isTestCode(path) || file === undefined || name === undefined || folder === own) return;
  if (name !== 'index.ts') offence(path, number, `import a folder's index.ts, not ${specifier}`);
  if (folder === 'handlers' && own !== 'dispatch')
    offence(path, number, `${own} may not import handlers`);
}

function checkRust(path, line, number) {
  const crate = path.split('/')[1];
  for (const [, used] of line.matchAll(/\bms_(wire|log|consensus|intake|partition|reactor)::/g)) {
    if (used !== crate && !rustLayers[crate]?.includes(used) && crate in rustLayers)
      offence(path, number, `crate ${crate} may not use ${used}`);
  }
  if (
    /\bunsafe\b/.test(line) &&
    !/^\s*\/\//.test(line) &&
    !/unsafe_code/.test(line) &&
    !unsafeFiles.has(path)
  )
    offence(path, number, 'unsafe outside the files that list why');
  if ((crate === 'wire' || crate === 'consensus') && /\bstd::(fs|net|thread)\b/.test(line))
    offence(path, number, `${crate} does no I/O`);
  if (
    !['reactor', 'addon', 'loadgen'].includes(crate) &&
    /\b(TcpStream|TcpListener|mio::)/.test(line)
  )
    offence(path, number, 'only reactor has sockets');
}

function offence(path, number, reason) {
  offences.push(`${path}:${number}: ${reason}`);
}
