import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { entriesOf, windowFor } from '../../../adapters/windows/document.js'
import { hour } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, noon } from '../../src/samples.js'

const test = suite('documents of renewal windows')

const window = 'start: 2026-11-23T13:00:00Z\nend: "2026-11-23T15:00:00+01:00"\nreason: the CA is replaced\n'

/** What the document suggests to worker-1 of the pool gpu; a clause where it cannot be read. */
const suggested = (document: string) =>
  E.match(
    (what: string): string | number | undefined => what,
    (entries: Parameters<typeof windowFor>[0]) =>
      O.toUndefined(windowFor(entries, { held: held(), labels: { pool: 'gpu', zone: 'a' } }, noon))?.start,
  )(entriesOf('a file', document))

test('reads a window in YAML and in JSON, alone and in a list', () => {
  const found = entriesOf('a file', window)
  assert.equal(E.isRight(found) && found.right[0]?.window, {
    start: at(hour),
    end: at(2 * hour),
    reason: 'the CA is replaced',
    source: 'a file',
  })
  assert.is(suggested('[{"start":"2026-11-23T13:00:00Z","end":"2026-11-23T14:00:00Z"}]'), at(hour))
  assert.is(suggested(''), undefined)
})

test('suggests a window to whom it is meant for', () => {
  const to = (selector: string) => suggested(`${window}selector: ${selector}`) === at(hour)
  for (const yes of [
    '{}',
    '{names: [worker-1]}',
    '{names: [other, "worker-*"]}',
    '{names: ["*"]}',
    '{names: ["w*k*-1"]}',
    '{labels: {pool: gpu}}',
    '{names: ["*-1"], labels: {pool: gpu, zone: a}}',
  ])
    assert.ok(to(yes), yes)
  for (const no of [
    '{names: [worker]}',
    '{names: ["worker-1*1"]}',
    '{names: ["w*z*1"]}',
    '{names: ["orker*"]}',
    '{labels: {pool: cpu}}',
    '{labels: {pool: gpu, rack: "1"}}',
    '{labels: {toString: x}}',
    '{names: [worker-2], labels: {pool: gpu}}',
  ])
    assert.not(to(no), no)
})

test('suggests the window that is first, and none that had begun when the certificate came', () => {
  const of = (start: string) => ({ start: `2026-11-23T${start}:00Z`, end: '2026-11-24T00:00:00Z' })
  assert.is(suggested(JSON.stringify([of('15:00'), of('11:00'), of('14:00')])), at(2 * hour))
})

test('names the place of a mistake, and takes nothing of such a document', () => {
  const mistakes: ReadonlyArray<readonly [string, RegExp]> = [
    ['start: [', /^it is not YAML: /],
    ['text', /^it must be a mapping of fields$/],
    [`[${JSON.stringify({ start: 'soon', end: 'late' })}]`, /^\[0\]\.\w+ must be an instant such as /],
    ['start: 2026-11-23T13:00:00Z', /^end must be an instant/],
    ['start: 2026-02-30\nend: 2026-11-23T13:00:00Z', /^start must be an instant/],
    [window.replace('13:00', '14:00'), /^end must be after start$/],
    [`${window}selector: {names: worker}`, /^selector\.names must be a list$/],
    [`${window}selectors: {}`, /^selectors is no field; there are start, end, reason, selector$/],
    [`${window}selector: {name: worker}`, /^selector\.name is no field; there are names, labels$/],
    [`${window}selector: {labels: {a: 1}}`, /^selector\.labels\.a must be /],
  ]
  for (const [document, mistake] of mistakes) assert.match(String(suggested(document)), mistake)
})

test("reads the operator's recipe", () => {
  const page = readFileSync('adapters/command-line/README.md', 'utf8')
  const [, indented = ''] = /^ {2}ca\.yaml: \|\n((?: {4}.*\n)+)/m.exec(page) ?? []
  const found = entriesOf('a ConfigMap', indented.replaceAll(/^ {4}/gm, ''))
  assert.equal(E.isRight(found) && found.right.map(({ names, labels }) => ({ names, labels })), [
    { names: ['worker-*'], labels: { pool: 'gpu' } },
  ])
})
