import fc from 'fast-check'
import { endOfTime } from '../../../src/model/time.js'
import { virtualAgenda } from '../../../src/simulator/agenda.js'
import { at } from '../../../src/simulator/numbers.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('virtual agenda')

test('is empty at first, and again when what was set is taken back', () => {
  const agenda = virtualAgenda(1)
  assert.equal([agenda.next(), agenda.first()], [endOfTime, -1])
  agenda.set(0, 5)
  assert.equal([agenda.next(), agenda.first()], [5, 0])
  agenda.set(0, endOfTime)
  agenda.set(0, endOfTime)
  assert.equal([agenda.next(), agenda.first()], [endOfTime, -1])
})

test('has entries in the order of their times, then of their ranks, whatever was set before, and grows', () => {
  const set = fc.tuple(fc.nat(60), fc.oneof(fc.nat(20), fc.constant(endOfTime)), fc.nat(3))
  fc.assert(
    fc.property(fc.array(set, { maxLength: 200 }), (sets) => {
      const agenda = virtualAgenda(4)
      const known = new Map<number, readonly [number, number]>()
      for (const [entry, time, rank] of sets) {
        agenda.set(entry, time, rank * 100 + entry)
        if (time === endOfTime) known.delete(entry)
        else known.set(entry, [time, rank * 100 + entry])
      }
      const expected = [...known].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]).map(([entry]) => entry)
      const found: Array<number> = []
      for (let first = agenda.first(); first >= 0; first = agenda.first()) {
        found.push(first)
        agenda.set(first, endOfTime)
      }
      assert.equal(found, expected)
    }),
  )
})

test('numbers are 0 beyond their end', () => {
  assert.is(at(new Float64Array(1), 1), 0)
})
