import { interruption, onSignal } from '../../src/signal.js'
import { assert, suite } from '../helper/index.js'

const test = suite('signal')

test('calls each listener once, however often it is given', () => {
  const { signal, interrupt } = interruption()
  let calls = 0
  onSignal(signal, () => {
    calls += 1
  })
  assert.is(signal.aborted, false)
  interrupt()
  interrupt()
  assert.is(signal.aborted, true)
  assert.is(calls, 1)
})

test('calls a listener at once when it was given before', () => {
  const { signal, interrupt } = interruption()
  interrupt()
  let calls = 0
  const forget = onSignal(signal, () => {
    calls += 1
  })
  forget()
  assert.is(calls, 1)
})

test('leaves out a listener that was taken back', () => {
  const { signal, interrupt } = interruption()
  onSignal(signal, () => assert.unreachable('was called'))()
  interrupt()
})

test('takes the signals of the platform', () => {
  const controller = new AbortController()
  let calls = 0
  onSignal(controller.signal, () => {
    calls += 1
  })
  onSignal(controller.signal, () => assert.unreachable('was called'))()
  controller.abort()
  assert.is(calls, 1)
})
