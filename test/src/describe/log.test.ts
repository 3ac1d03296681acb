import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type LogHeader, logMark, printHeader, printStep, readLine } from '../../../src/describe/log.js'
import { entryAt, type Replay, replay } from '../../../src/describe/replay.js'
import type { Step } from '../../../src/describe/transition.js'
import { day, hour } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, noon } from '../samples.js'
import { policy, steps } from './steps.js'

const test = suite('log of events')

const linesOf = (
  made: ReadonlyArray<Step>,
  because: LogHeader['because'] = 'started',
): ReadonlyArray<string> => [
  ...made.slice(0, 1).map((step) => printHeader(policy, because, step)),
  ...made.map((step) => printStep(policy, step)),
]
const lines = linesOf(steps)

const textOf = (all: ReadonlyArray<string>): string => all.map((line) => `${line}\n`).join('')
const replayed = (...texts: ReadonlyArray<string>) =>
  replay(texts.map((text, index) => ({ name: `f${index}`, text })))
const read = (...texts: ReadonlyArray<string>): Replay => {
  const result = replayed(...texts)
  if (E.isLeft(result)) throw new Error(`${result.left.place}: ${result.left.what}`)
  return result.right
}
const refused = (...texts: ReadonlyArray<string>) => {
  const result = replayed(...texts)
  if (E.isRight(result)) throw new Error('it was read')
  return result.left
}
const differencesOf = ({ entries }: Replay) =>
  entries.flatMap(({ differences, place }) => differences.map((difference) => `${place} ${difference}`))

test('replayed, makes the facts, states and decisions that there were', () => {
  const { entries, cut } = read(textOf(lines))
  assert.equal(cut, [])
  assert.is(entries.length, steps.length + 1)
  for (const [index, step] of steps.entries()) {
    const entry = entries[index + 1]
    assert.equal(entry?.facts, step.after)
    assert.equal(entry?.event, step.event)
    assert.equal(entry?.recorded, entry?.computed)
    assert.equal(entry?.differences, [])
  }
})

test('has the causes of a renewal, and says why', () => {
  const { entries } = read(textOf(lines))
  assert.equal(entries[2]?.recorded, {
    state: 'RenewDue',
    why: O.some('deadline'),
    action: 'submit a new request with held',
  })
  assert.is(entries[2]?.message, 'the rotation deadline has passed')
  assert.match(entries[5]?.message ?? '', 'was denied (No: never)')
})

test('begins with its mark', () => {
  assert.ok(lines[0]?.startsWith(`${logMark},"version":1,`))
})

test('is read up to wherever it was cut, at each of its characters', () => {
  const text = textOf(lines)
  const ends = [...lines.keys()].map((index) => textOf(lines.slice(0, index + 1)).length - 1)
  const whole = read(text).entries
  for (let length = ends[0] ?? 0; length < text.length; length++) {
    const complete = ends.filter((end) => end <= length).length
    const isWhole = ends.includes(length) || ends.includes(length - 1)
    const { entries, cut } = read(text.slice(0, length))
    assert.equal(entries, whole.slice(0, complete), `${length} characters`)
    assert.equal(cut, isWhole ? [] : [`f0:${complete + 1}`], `${length} characters`)
  }
})

test('goes on after a line that was cut, with the header of the next process', () => {
  const { cut, entries } = read(`${textOf(lines.slice(0, 3))}{"at":"2026-\n${textOf(lines)}`)
  assert.equal(cut, ['f0:4'])
  assert.is(entries.length, 3 + lines.length)
  assert.equal(entries.at(-1)?.facts, steps.at(-1)?.after)
  assert.equal(differencesOf({ cut, entries }), [])
})

test('goes on in the next file, whose header has what the file before makes', () => {
  const [first, second_] = [steps.slice(0, 4), steps.slice(4)]
  const { entries } = read(textOf(linesOf(first)), textOf(linesOf(second_, 'continued')))
  assert.is(entries.length, steps.length + 2)
  assert.equal(differencesOf({ cut: [], entries }), [])
  assert.equal(entries.at(-1)?.facts, steps.at(-1)?.after)
  assert.equal(read(textOf(linesOf(second_, 'continued'))).entries.at(-1)?.facts, steps.at(-1)?.after)
  const lost = read(textOf(linesOf(first.slice(0, -1))), textOf(linesOf(second_, 'continued')))
  assert.equal(differencesOf(lost), [
    'f1:1 facts: another next than the lines before make',
    'f1:1 facts: another lastFailure than the lines before make',
    'f1:1 facts: another ongoing than the lines before make',
    'f1:1 facts: another submittedAt than the lines before make',
    'f1:1 facts: another checkedAt than the lines before make',
  ])
  assert.equal(
    differencesOf(read(textOf(linesOf(first.slice(0, -1))), textOf(linesOf(second_, 'resumed')))),
    [],
  )
})

test('says where another state or decision was recorded', () => {
  const altered = lines.map((line, index) => {
    if (index === 2) return line.replace('"why":"deadline"', '"why":"boredom"')
    return index === 4 ? line.replace('observe csr-0002 with held', 'wait for news') : line
  })
  assert.equal(differencesOf(read(textOf(altered))), [
    'f0:3 state: was RenewDue (boredom), would be RenewDue (deadline)',
    'f0:5 decision: was wait for news until 2026-11-24T12:00:00Z, would be observe csr-0002 with held until 2026-11-24T12:00:00Z',
  ])
})

const header = lines[0] ?? ''
for (const [what, text, place, message] of [
  ['a broken line in the middle', `${header}\n{"at":\n${lines[1]}\n`, 'f0:2', 'it is no JSON'],
  ['a line that is no event', `${header}\n{"at":1}\n`, 'f0:2', /^at must be an instant/],
  [
    'an event that is not known',
    `${header}\n${lines[1]?.replace('"Loaded"', '"Unloaded"')}\n`,
    'f0:2',
    'event._tag is none that this version knows',
  ],
  [
    'a field that is another in an event',
    `${header}\n${lines[1]?.replace('"serialNumber":"0a1b"', '"serialNumber":7')}\n`,
    'f0:2',
    'event.held.certificate.serialNumber must be a string',
  ],
  [
    'a later version',
    header.replace('"version":1', '"version":2'),
    'f0:1',
    'version is 2, and this program knows only 1',
  ],
  ['a header without facts', header.replace('"facts":', '"fakes":'), 'f0:1', /^facts must be a mapping/],
  ['a log without its beginning', `${lines[1]}\n`, 'f0:1', /no header before it/],
  ['an empty file', '', 'f0', 'there is no line of a log in it'],
  ['something else', 'hello\n', 'f0', 'there is no line of a log in it'],
  ['JSON of somebody else', '{"kind":"Config"}', 'f0:1', /^at must be/],
] as const)
  test(`names the place of ${what}`, () => {
    const error = refused(text)
    assert.is(error.place, place)
    assert.match(error.what, message)
  })

test('knows no line of its own that it cannot read', () => {
  for (const line of lines) assert.is.not(readLine(line)._tag, 'Broken')
})

test('has at each time what was known last', () => {
  const log = read(textOf(lines))
  assert.is(entryAt(log, at(-1)), undefined)
  assert.is(entryAt(log, noon)?.place, 'f0:2')
  assert.is(entryAt(log, at(20 * hour - 1))?.place, 'f0:2')
  assert.is(entryAt(log, at(20 * hour))?.place, 'f0:3')
  assert.is(entryAt(log, at(30 * day))?.place, `f0:${lines.length}`)
})

test('says what is wrong with a header that has no version, and with a line that is no record', () => {
  const { version: _, ...rest } = JSON.parse(lines[0] ?? '')
  assert.match(refused(`${JSON.stringify(rest)}\n`).what, 'version')
  assert.match(refused(`${lines[0]}\n[]\n`).what, /^it /)
})

test('reads the log of a version that knew fewer facts, and holds nothing against it', () => {
  const [first, second_] = [steps.slice(0, 4), steps.slice(4)]
  const earlier = (text: string) =>
    text.replaceAll(/"ongoing":\[[^\]]*\],/g, '').replaceAll(/,"serverUntrustedAt":null/g, '')
  const texts = [textOf(linesOf(first)), textOf(linesOf(second_, 'continued'))].map(earlier)
  assert.not.match(texts.join(''), /ongoing|serverUntrusted/)
  const found = read(...texts)
  assert.equal(differencesOf(found), [])
  assert.is(found.entries.length, steps.length + 2)
})
