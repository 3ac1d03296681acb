/** The mutants that no test notices, each with its reason: what StrykerJS found beside what was written down. */
import * as t from 'io-ts'

const Place = t.type({ line: t.number, column: t.number })

/** What is needed of StrykerJS' report (mutation-testing-report-schema); lines and columns are counted from 1. */
export const Report = t.type({
  files: t.record(
    t.string,
    t.type({
      source: t.string,
      mutants: t.array(
        t.intersection([
          t.type({ status: t.string, location: t.type({ start: Place, end: Place }) }),
          t.partial({ replacement: t.string }),
        ]),
      ),
    }),
  ),
})
export type Report = t.TypeOf<typeof Report>

const Survivor = t.type({
  file: t.string,
  /** The line on which the mutant begins, without its indentation: a line's number would change with each edit. */
  line: t.string,
  original: t.string,
  replacement: t.string,
  /** Why nothing can be seen of it, in words. */
  reason: t.string,
})
export type Survivor = t.TypeOf<typeof Survivor>

/** The record as it is kept in survivors.json. */
export const Record = t.type({
  measured: t.string,
  scores: t.record(t.string, t.string),
  survivors: t.array(Survivor),
})
export type Record = t.TypeOf<typeof Record>

type Mutant = Report['files'][string]['mutants'][number]

const isNoticed = ({ status }: Mutant): boolean => status === 'Killed' || status === 'Timeout'

/** How many of a file's mutants the tests noticed, in words. */
export const scoresOf = ({ files }: Report): Record['scores'] =>
  Object.fromEntries(
    Object.entries(files).map(([file, { mutants }]) => {
      const noticed = mutants.filter(isNoticed).length
      const percent = ((noticed / mutants.length) * 100).toFixed(1)
      return [file, `${percent} %: ${noticed} of ${mutants.length}`]
    }),
  )

/** The mutants that no test noticed, with the reasons that the record has for them; none where it has none. */
export const survivorsOf = ({ files }: Report, known: ReadonlyArray<Survivor>): ReadonlyArray<Survivor> => {
  const reasons = [...known]
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants
      .filter((mutant) => !isNoticed(mutant))
      .map(({ location: { start, end }, replacement = '' }) => {
        const lines = source.split('\n')
        const found = {
          file,
          line: (lines[start.line - 1] ?? '').trim(),
          original: source.slice(offset(lines, start), offset(lines, end)),
          replacement,
        }
        // Each entry stands for one mutant: the same text on two lines takes two.
        const index = reasons.findIndex((entry) => same(entry, found))
        const [{ reason } = { reason: '' }] = index < 0 ? [] : reasons.splice(index, 1)
        return { ...found, reason }
      }),
  )
}

const offset = (lines: ReadonlyArray<string>, { line, column }: t.TypeOf<typeof Place>): number =>
  lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, column - 1)

const same = (a: Omit<Survivor, 'reason'>, b: Omit<Survivor, 'reason'>): boolean =>
  a.file === b.file && a.line === b.line && a.original === b.original && a.replacement === b.replacement

/** What is wrong between the record and a run over `files`; nothing when every survivor has its reason. */
export const objections = (report: Report, { survivors }: Record): ReadonlyArray<string> => {
  const found = survivorsOf(report, survivors)
  const left = [...found]
  const gone = survivors.filter((entry) => {
    const index = left.findIndex((survivor) => same(entry, survivor))
    if (index >= 0) left.splice(index, 1)
    return index < 0 && Object.hasOwn(report.files, entry.file)
  })
  return [
    ...found
      .filter(({ reason }) => reason.trim() === '')
      .map((survivor) => `no test notices, and no reason is given: ${describe(survivor)}`),
    ...gone.map((entry) => `is recorded, and no longer survives: ${describe(entry)}`),
  ]
}

const describe = ({ file, line, original, replacement }: Survivor): string =>
  `${file}\n  in        ${line}\n  replacing ${original}\n  by        ${replacement}`
