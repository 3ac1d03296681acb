import { assert, suite } from '../helper/index.js'
import { objections, type Record, type Report, scoresOf, survivorsOf } from './record.js'

const test = suite('record of mutation testing')

const source = 'const a = 1\n  const b = 1\n  const b = 1\n'
const mutant = (line: number, status: string) => ({
  status,
  replacement: '2',
  location: { start: { line, column: line === 1 ? 11 : 13 }, end: { line, column: line === 1 ? 12 : 14 } },
})
const report = (...mutants: ReadonlyArray<ReturnType<typeof mutant>>): Report => ({
  files: { 'src/a.ts': { source, mutants: [...mutants] } },
})
const record = (...reasons: ReadonlyArray<string>): Record => ({
  measured: '',
  scores: {},
  survivors: reasons.map((reason) => ({
    file: 'src/a.ts',
    line: 'const b = 1',
    original: '1',
    replacement: '2',
    reason,
  })),
})

test('counts what a failed test and an endless one noticed', () => {
  assert.equal(scoresOf(report(mutant(1, 'Killed'), mutant(2, 'Timeout'), mutant(3, 'Survived'))), {
    'src/a.ts': '66.7 %: 2 of 3',
  })
})

test('names a survivor by the text of its line, and keeps its reason when lines move', () => {
  assert.equal(
    survivorsOf(report(mutant(2, 'Survived')), record('nobody reads b').survivors),
    record('nobody reads b').survivors,
  )
})

test('has nothing against a survivor with a reason', () => {
  assert.equal(objections(report(mutant(1, 'Killed'), mutant(3, 'Survived')), record('nobody reads b')), [])
})

test('objects to a survivor without a reason, also beside one with the same text', () => {
  assert.is(objections(report(mutant(1, 'Survived')), record()).length, 1)
  assert.is(objections(report(mutant(2, 'Survived')), record(' ')).length, 1)
  const twice = objections(report(mutant(2, 'Survived'), mutant(3, 'Survived')), record('nobody reads b'))
  assert.is(twice.length, 1)
  assert.match(
    twice[0] ?? '',
    'no reason is given: src/a.ts\n  in        const b = 1\n  replacing 1\n  by        2',
  )
})

test('objects to what could not be judged', () => {
  assert.is(objections(report(mutant(1, 'RuntimeError')), record()).length, 1)
})

test('objects to an entry that no longer survives, in a file that was looked at', () => {
  assert.match(objections(report(mutant(2, 'Killed')), record('nobody reads b')).join(), 'no longer survives')
  assert.equal(objections({ files: {} }, record('nobody reads b')), [])
})
