/** What `replay` prints. What is in a log may have been written by anybody: it is made fit to be printed. */
import * as O from 'fp-ts/lib/Option.js'
import { explain } from '../../src/describe/explain.js'
import type { Verdict } from '../../src/describe/log.js'
import { printAction, printEvent, printState } from '../../src/describe/print.js'
import type { Entry, Replay } from '../../src/describe/replay.js'
import { EventCodec } from '../../src/machine/codec.js'
import { decide, stateOf } from '../../src/machine/machine.js'
import { printable } from '../../src/model/printable.js'
import { type Instant, rfc3339 } from '../../src/model/time.js'

/** Whether something was decided that would be decided otherwise. */
export const isDifferent = ({ differences }: Entry): boolean => differences.length > 0

const begun = {
  started: 'the rotation starts',
  continued: 'the log goes on from the file before',
  resumed: 'the log goes on; what was before may not be written',
} as const

const timeWidth = 26

/** A log for people: what happened, why, the state after it and what was next. */
export const linesOf = ({ entries, cut }: Replay): ReadonlyArray<string> => {
  let time = ''
  return [
    ...entries.flatMap((entry) =>
      rowsOf(entry).map(([name, text]) => {
        const now = rfc3339(entry.at)
        const left = now === time ? '' : now
        time = now
        return `${left.padEnd(timeWidth)}${row(name, text)}`
      }),
    ),
    '',
    ...summaryOf({ entries, cut }),
  ]
}

type Row = readonly [name: string, text: string]

const row = (name: string, text: string): string => `${name.padEnd(7)} ${printable(text)}`

const rowsOf = (entry: Entry): ReadonlyArray<Row> => {
  const { at, because, computed, differences, event, facts, message, place, policy } = entry
  if (because !== undefined)
    return [
      ['log', begun[because]],
      ...differences.map((difference): Row => ['DIFFERS', `${place}: ${difference}`]),
    ]
  return [
    event === undefined ? ['time', 'by the clock alone'] : ['event', printEvent(event)],
    ...(message === undefined ? [] : [['why', message] as const]),
    ['state', printState(policy)(facts, at)],
    ['next', computed.action],
    ...differences.map((difference): Row => ['DIFFERS', `${place}: ${difference}`]),
  ]
}

/** What cannot be seen in a single line. */
const summaryOf = ({ entries, cut }: Replay): ReadonlyArray<string> => {
  const different = entries.filter(isDifferent)
  const [total, first] = [entries.filter(({ recorded }) => recorded !== undefined).length, different[0]]
  return [
    ...cut.map((place) => `${place} was not written to its end: it is read up to there`),
    first === undefined
      ? `${count(total, 'line')}: what was decided is what this version decides`
      : `${count(different.length, 'line')} of ${total} ${different.length === 1 ? 'differs' : 'differ'} from what this version decides, the first at ${first.place}`,
  ]
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** The situation at a time, for people. */
export const linesAt = (
  shown: Replay,
  { at, event, facts, place, policy }: Entry,
  now: Instant,
): ReadonlyArray<string> => [
  row('at', rfc3339(now)),
  row('since', `${rfc3339(at)} (${place}${event === undefined ? '' : `, ${printEvent(event)}`})`),
  row('state', printState(policy)(facts, now)),
  '',
  printable(explain(policy, facts, now)),
  '',
  ...summaryOf(shown),
]

/** The situation at a time, for programs. */
export const reportAt = (shown: Replay, { at, facts, place, policy }: Entry, now: Instant) => ({
  at: rfc3339(now),
  since: rfc3339(at),
  place,
  state: stateOf(policy)(facts, now)._tag,
  action: printAction(decide(policy)(facts, now)),
  explanation: explain(policy, facts, now),
  cut: shown.cut,
  differences: differencesOf(shown),
})

/** A log for programs. */
export const reportOf = (shown: Replay) => ({
  entries: shown.entries.map((entry) => {
    const { at, because, computed, differences, event, facts, message, place, policy, recorded } = entry
    return {
      at: rfc3339(at),
      place,
      ...(because === undefined ? {} : { because }),
      ...(event === undefined ? {} : { event: EventCodec.encode(event), text: printEvent(event) }),
      ...(message === undefined ? {} : { message }),
      situation: printState(policy)(facts, at),
      ...(recorded === undefined ? {} : { recorded: verdict(recorded) }),
      computed: verdict(computed),
      differences,
    }
  }),
  cut: shown.cut,
  differences: differencesOf(shown),
})

const verdict = ({ state, why, action }: Verdict) => ({ state, why: O.toNullable(why), action })

const differencesOf = ({ entries }: Replay): ReadonlyArray<string> =>
  entries.flatMap(({ differences, place }) => differences.map((difference) => `${place}: ${difference}`))
