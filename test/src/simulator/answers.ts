/** The answers in the simulator's README: each scenario lived, its table and its curve as text. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { readScenario } from '../../../adapters/simulator/scenario.js'
import { textOf } from '../../../adapters/simulator/text.js'
import { type PolicyReport, type Report, simulate } from '../../../src/simulator/index.js'

export const root = join(import.meta.dirname, '../../../..')
export const page = join(root, 'src/simulator/README.md')

/** The scenarios in the order of the page, and whether one is quick to live through. */
export const questions: ReadonlyArray<readonly [name: string, isQuick: boolean]> = [
  ['hourly', false],
  ['api-down', false],
  ['at-once', false],
  ['a-year-later', false],
  ['weekend', false],
  ['replaced-ca', true],
  ['replaced-ca-without-tokens', false],
  ['window', false],
]

const points = 24

/** The busiest bin of each 24th of the time, in requests without probes a minute. */
const curve = ({ series }: PolicyReport): ReadonlyArray<number> => {
  const { bin, create, watch, get, list } = series
  const each = create.map((count, at) => count + (watch[at] ?? 0) + (get[at] ?? 0) + (list[at] ?? 0))
  return Array.from({ length: points }, (_, point) => {
    const from = Math.floor((point * each.length) / points)
    const part = each.slice(from, Math.max(from + 1, Math.floor(((point + 1) * each.length) / points)))
    return Math.round((Math.max(0, ...part) * 60_000) / bin)
  })
}

const pictured = ({ policies }: Report): ReadonlyArray<string> => [
  '',
  `Requests a minute without probes, in the busiest bin of each ${points}th of the time:`,
  '',
  ...policies.map((report) => `${report.policy}: ${curve(report).join(' ')}`),
]

export const answer = async (name: string): Promise<string> => {
  const scenario = readScenario(await readFile(join(root, `src/simulator/scenarios/${name}.yaml`), 'utf8'))
  if (E.isLeft(scenario)) throw new Error(`${name}: ${JSON.stringify(scenario.left)}`)
  const report = simulate(scenario.right)
  return ['```text', textOf(report).trimEnd(), ...pictured(report), '```', ''].join('\n')
}

const place = (name: string): RegExp =>
  new RegExp(`(<!-- ${name}: generated -->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`)

/** What the page says of a question; undefined where it has no place for it. */
export const written = (text: string, name: string): string | undefined =>
  place(name)
    .exec(text)?.[0]
    .split('\n')
    .slice(1, -1)
    .map((line) => `${line}\n`)
    .join('')

export const rewritten = (text: string, name: string, block: string): string =>
  text.replace(place(name), (_, before: string, after: string) => `${before}${block}${after}`)
