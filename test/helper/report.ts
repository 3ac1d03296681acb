/**
 * What a test file tells the runner: one JSON line an event, appended synchronously, so that the lines
 * survive a crash, a kill and an endless loop, and a `started` without an end names the test that did it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

const Event = t.union([
  t.type({ event: t.literal('started'), test: t.string }),
  t.type({ event: t.literal('passed'), test: t.string }),
  t.type({ event: t.literal('failed'), test: t.string }),
  t.type({ event: t.literal('skipped'), test: t.string, reason: t.string }),
  t.type({ event: t.literal('noted'), note: t.string }),
])

export type Event = t.TypeOf<typeof Event>

/** The environment variable by which the runner names the file that events go to. */
export const REPORT_VARIABLE = 'TEST_REPORT'

/** Tells the runner; without a runner (`node dist/test/x.test.js`) it does nothing. */
export const tell = (event: Event): void => {
  const file = process.env[REPORT_VARIABLE]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(event)}\n`)
}

/** Reads the events back; throws on a line that is no event, since then no count can be trusted. */
export const readReport = (file: string): readonly Event[] =>
  (existsSync(file) ? readFileSync(file, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = Event.decode(JSON.parse(line))
      if (E.isLeft(event)) throw new Error(`not an event of a test report: ${line}`)
      return event.right
    })
