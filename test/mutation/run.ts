/**
 * Mutation testing of the core's decisions: `npm run mutation [-- FILE]...`, some minutes on two cores.
 *
 * StrykerJS changes one thing at a time in the files of stryker.config.json, and tests.ts has to notice. Each change
 * that it does not notice is in survivors.json with the reason. Fails when one is not, and when one that is there is
 * noticed after all. `--write` rewrites the record and keeps its reasons; those that are missing are to be filled in.
 * StrykerJS is installed below this folder the first time; nothing else needs it.
 *
 * A change may make an endless loop: each run has 12 s of processor time, several times what it needs, so that it does
 * not matter how busy the machine is. The name of a tsconfig file that does not exist keeps StrykerJS from asking for
 * the compiler's API, which TypeScript 7 does not have; on Node.js 20, version 9.6 is the last that runs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { objections, Record, Report, scoresOf, survivorsOf } from './record.js'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'test/mutation')
const recordFile = join(folder, 'survivors.json')
const args = process.argv.slice(2)
const files = args.filter((arg) => !arg.startsWith('--'))

const Package = t.type({ version: t.string })

const run = (command: string, ...parameters: ReadonlyArray<string>): void => {
  const { status, error } = spawnSync(command, parameters, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed`, { cause: error ?? status })
}

const read = <A>(codec: t.Decoder<unknown, A>, file: string): A => {
  const decoded = codec.decode(JSON.parse(readFileSync(file, 'utf8')))
  if (E.isLeft(decoded)) throw new Error(`${file}: ${PathReporter.report(decoded).join('; ')}`)
  return decoded.right
}

if (!existsSync(join(folder, 'node_modules'))) run('npm', 'ci', '--prefix', folder, '--no-audit', '--no-fund')
run(
  join(folder, 'node_modules/.bin/stryker'),
  'run',
  join(folder, 'stryker.config.json'),
  ...(files.length > 0 ? ['--mutate', files.join(',')] : []),
)

const report = read(Report, join(root, 'dist/mutation/report.json'))
let record = read(Record, recordFile)
if (args.includes('--write')) {
  const { version } = read(Package, join(folder, 'node_modules/@stryker-mutator/core/package.json'))
  record = {
    measured: `${new Date().toISOString().slice(0, 10)}, StrykerJS ${version}, Node.js ${process.version}`,
    scores: { ...record.scores, ...scoresOf(report) },
    survivors: [
      ...record.survivors.filter(({ file }) => !Object.hasOwn(report.files, file)),
      ...survivorsOf(report, record.survivors),
    ],
  }
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`)
}
for (const [file, score] of Object.entries(scoresOf(report))) console.log(`${file}: ${score}`)
const wrong = objections(report, record)
for (const objection of wrong) console.log(`\n${objection}`)
const explained = survivorsOf(report, record.survivors).filter(({ reason }) => reason !== '').length
console.log(`\n${explained} survivors with a reason, ${wrong.length} objections`)
process.exitCode = wrong.length > 0 ? 1 : 0
