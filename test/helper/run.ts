/**
 * The test command: `node dist/test/helper/run.js [--thorough] [--parallel=N] [--minutes=N] [--without=FOLDER,…] [PART OF A PATH]...`
 *
 * N files at a time (4), each for at most N minutes (2; 15 when thorough); none of those folders.
 *
 * Runs the compiled form of each test/…/*.test.ts whose path contains one of the given parts, all if none
 * is given, but for what takes long; with --thorough, what takes long and what has larger numbers then. Those in
 * test/package, test/e2e and test/bench run only when they are named. The last line is
 * `N passed, N failed, N skipped`; the exit code is 1 unless all ran and none failed.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type FileResult, runFiles } from './runner.js'

const ROOT = join(import.meta.dirname, '../../..')
const ONLY_BY_NAME = ['test/package/', 'test/e2e/', 'test/bench/']
/** What needs a process of its own: it changes or measures the process. */
const ALONE = ['test/e2e/', 'test/faults/quiet.test.ts', 'test/soak/']
/** What takes long and is seldom broken by a change elsewhere: only in the thorough run, which is a part of the CI. */
const LONG = [
  'test/adapters/command-line/killed.test.ts',
  'test/adapters/connections/client-node-2.test.ts',
  'test/adapters/control-plane/kubectl.test.ts',
  'test/adapters/filesystem/power-loss/',
  'test/checks/coverage.test.ts',
  'test/fuzz/',
  'test/helper/helper.test.ts',
  'test/readme/recovery.test.ts',
  'test/soak/',
]
/** What takes longest, here, in the thorough run or on real Kubernetes: begun first, so that no processor is idle at the end. */
const LONGEST = [
  'faults/time',
  'src/machine/exploration',
  'src/simulator/answers',
  'adapters/outputs/nginx',
  'adapters/filesystem/power-loss/power-loss',
  'src/machine/properties',
  'adapters/command-line/killed',
  'faults/http',
  'adapters/command-line/run',
  'adapters/command-line/steered',
  'adapters/command-line/signals',
  'adapters/command-line/seen',
  'src/simulator/skipping',
  'readme/readme',
  'adapters/filesystem',
  'fuzz/',
  'faults/',
  'e2e/outages',
  'e2e/keys',
  'e2e/renewal',
  'e2e/manifest',
  'e2e/credentials',
]
const MINUTE = 60_000

const args = process.argv.slice(2)
const thorough = args.includes('--thorough') || process.env['THOROUGH'] === '1'
const parts = args.filter((arg) => !arg.startsWith('--'))
const given = (flag: string): string | undefined =>
  args.find((arg) => arg.startsWith(`--${flag}=`))?.split('=')[1]
const without = given('without')?.split(',') ?? []

const isIn = (places: ReadonlyArray<string>, file: string): boolean =>
  places.some((place) => file.startsWith(place))

/** Whether a file, or one of the same folder that it imports, has other numbers when thorough. */
const isLarger = (file: string): boolean => {
  const text = readFileSync(join(ROOT, file), 'utf8')
  if (/\bsample\(|\bthorough\b/.test(text)) return true
  const imported = [...text.matchAll(/^(?:import .*|\}) from '\.\/(.+)\.js'$/gm)].map(
    ([, name]) => `${dirname(file)}/${name}.ts`,
  )
  return imported.some(isLarger)
}

/** From the sources, not from dist/: what is left there of a deleted test is not run. */
const files = readdirSync(join(ROOT, 'test'), {
  recursive: true,
  encoding: 'utf8',
})
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts') && !file.includes('/node_modules/'))
  .filter((file) =>
    parts.length === 0
      ? !isIn(ONLY_BY_NAME, file) && (thorough ? isIn(LONG, file) || isLarger(file) : !isIn(LONG, file))
      : parts.some((part) => file.includes(part)),
  )
  .filter((file) => !isIn(without, file))
  .sort()
const place = (file: string): number => {
  const found = LONGEST.findIndex((part) => file.startsWith(`test/${part}`))
  return found < 0 ? LONGEST.length : found
}
files.sort((a, b) => place(a) - place(b))

const print = (result: FileResult): void => {
  const verdict = result.failed > 0 ? 'FAIL' : 'ok  '
  const skipped = result.skipped.length > 0 ? `, ${result.skipped.length} skipped` : ''
  console.log(`${verdict} ${result.file} (${result.passed} passed${skipped}, ${result.seconds.toFixed(1)} s)`)
  for (const { test, reason } of result.skipped) console.log(`     skipped "${test}": ${reason}`)
  for (const note of result.notes) console.log(`     ${note}`)
  if (result.failed === 0) return
  console.log(result.output.trimEnd().replaceAll(/^/gm, '     | '))
  if (result.defect !== undefined) console.log(`     ${result.file} ${result.defect}`)
}

/** The first signal lets the files tidy up and says what they said; the second one does not wait. */
const interrupted = new AbortController()
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(code)
    process.exitCode = code
    interrupted.abort()
  })

/** Tests of the program, and those that import the library by its name, run what is published. */
const bundled = spawnSync(process.execPath, [join(ROOT, '.bundle.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (bundled.status !== 0) throw new Error('.bundle.mjs failed')

const compiled = (file: string): string => join(ROOT, 'dist', file.replace(/\.ts$/, '.js'))

const results = await runFiles(
  files.map((file) => ({ name: file, path: compiled(file), alone: isIn(ALONE, file) })),
  {
    parallel: Number(given('parallel') ?? 4),
    fileLimit: Number(given('minutes') ?? (thorough ? 15 : 2)) * MINUTE,
    signal: interrupted.signal,
    environment: thorough ? { THOROUGH: '1' } : {},
    onResult: print,
  },
)

const sum = (count: (result: FileResult) => number): number =>
  results.reduce((total, result) => total + count(result), 0)
const [passed, failed, skipped] = [
  sum((result) => result.passed),
  sum((result) => result.failed),
  sum((result) => result.skipped.length),
]
if (files.length === 0) console.log(`No test file has ${parts.join(' or ')} in its path.`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode ??= failed > 0 || passed + skipped === 0 ? 1 : 0
