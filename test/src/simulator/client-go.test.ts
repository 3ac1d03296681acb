import * as O from 'fp-ts/lib/Option.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { failure } from '../../../src/model/failure.js'
import { after, hour, type Instant, instant, minute, second } from '../../../src/model/time.js'
import { clientGo, clientGoDeadline, clientGoPause } from '../../../src/simulator/client-go.js'
import { chainOf, keyIdOf, requestOf } from '../../../src/simulator/material.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, noon, template } from '../samples.js'

const test = suite("client-go's certificate manager, modelled")

/** `nextRotationDeadline`: jitteryDuration(total) = total × (0.7 + 0.2 × rand). */
const original = { from: 0.7, to: 0.9 }

test('draws deadlines from 70 to 90 % of a life that begins with notBefore, as evenly as the original', () => {
  const count = 20_000
  const tenths = new Array<number>(10).fill(0)
  for (let key = 0; key < count; key += 1) {
    const { certificate } = held({ keyId: keyIdOf(1, key, 1) })
    const part =
      (clientGoDeadline({ certificate }, noon) - certificate.notBefore) /
      (certificate.notAfter - certificate.notBefore)
    const place = ((part - original.from) / (original.to - original.from)) * 10
    assert.ok(place >= -0.001 && place < 10)
    tenths[Math.max(0, Math.floor(place))] = (tenths[Math.max(0, Math.floor(place))] ?? 0) + 1
  }
  // Chi-squared with nine degrees of freedom: above 27.9 once in a thousand.
  const squares = tenths.reduce((sum, found) => sum + (found - count / 10) ** 2 / (count / 10), 0)
  assert.ok(squares < 27.9, String(tenths))
})

test('draws anew at each start', () => {
  const { certificate } = held()
  const drawn = new Set(
    Array.from({ length: 20 }, (_, start) => clientGoDeadline({ certificate }, at(start * minute))),
  )
  assert.is(drawn.size, 20)
})

/** What wait.ExponentialBackoff sleeps (2 s, factor 2, jitter 0.1, five steps), and then wait.PollInfinite (32 s). */
const pauses = (chance: () => number, failures: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  let duration = 2 * second
  for (let steps = 5; steps > 1 && found.length < failures; steps -= 1) {
    found.push(duration + chance() * 0.1 * duration)
    duration *= 2
  }
  while (found.length < failures) found.push(32 * second)
  return found
}

for (const chance of [0, 0.5, 0.999])
  test(`waits as long as the original between failures where its chance is ${chance}`, () => {
    assert.equal(
      Array.from({ length: 8 }, (_, index) => clientGoPause(index + 1, chance)),
      pauses(() => chance, 8),
    )
  })

const start: Facts = clientGo.evolve(noFacts(O.some(template)), {
  _tag: 'Loaded',
  held: O.none,
  draft: O.none,
  at: noon,
})
const request = (key: number) => requestOf(keyIdOf(1, 1, key), template)
const submitted = (facts: Facts, key: number, time: Instant) =>
  clientGo.evolve(facts, {
    _tag: 'Submitted',
    request: request(key),
    credential: 'bootstrap',
    serverTime: O.none,
    at: time,
  })
const next = (facts: Facts, time: Instant) => clientGo.decide(facts, time)
const issued = (key: number) =>
  ({ _tag: 'Issued', chain: chainOf(request(key).keyId, template, at(-5 * minute), at(hour)) }) as const
const unreachable = failure('Unreachable', 'soon', 'no answer', 'wait')

test('asks, watches, installs, and rests until the deadline', () => {
  assert.is(next(start, noon)._tag, 'Submit')
  const asked = submitted(start, 1, noon)
  assert.equal(next(asked, noon), {
    _tag: 'Observe',
    request: request(1),
    known: 'Pending',
    credential: 'bootstrap',
    until: at(15 * minute),
  })
  const { uid } = request(1)
  const approved = clientGo.evolve(asked, {
    _tag: 'Observed',
    uid,
    observation: { _tag: 'Approved' },
    at: noon,
  })
  const delivered = clientGo.evolve(approved, { _tag: 'Observed', uid, observation: issued(1), at: noon })
  assert.is(next(delivered, noon)._tag, 'Install')
  const installed = clientGo.evolve(delivered, { _tag: 'Installed', keyId: uid, at: noon })
  const rest = next(installed, noon)
  assert.ok(rest._tag === 'Wait' && rest.until > at(30 * minute) && rest.until < at(55 * minute))
  const due = rest._tag === 'Wait' ? rest.until : noon
  assert.equal(next(installed, due), { _tag: 'Submit', template, draft: O.none, credential: 'held' })
  // Told again, nothing changes; expired, the bootstrap credential is next.
  assert.is(clientGo.evolve(installed, { _tag: 'Installed', keyId: uid, at: noon }), installed)
  assert.is(
    clientGo.evolve(installed, { _tag: 'Observed', uid, observation: issued(1), at: noon }),
    installed,
  )
  assert.is(clientGo.evolve(installed, { _tag: 'CredentialRejected', keyId: uid, at: noon }), installed)
  const late = next(installed, at(2 * hour))
  assert.ok(late._tag === 'Submit' && late.credential === 'bootstrap')
})

test('gives up after a quarter of an hour, and asks with a new key after a pause', () => {
  const asked = submitted(start, 1, noon)
  const pause = next(asked, at(15 * minute))
  assert.ok(pause._tag === 'Wait' && pause.until >= at(15 * minute + 2 * second))
  assert.is(next(asked, at(15 * minute + 3 * second))._tag, 'Submit')
  const again = submitted(asked, 2, at(15 * minute + 3 * second))
  const pauseAgain = next(again, at(30 * minute + 4 * second))
  assert.ok(pauseAgain._tag === 'Wait' && pauseAgain.until >= at(30 * minute + 7 * second))
})

test('begins a broken watch again within the attempt, after ever longer pauses', () => {
  const broken = (facts: Facts, time: Instant) =>
    clientGo.evolve(facts, {
      _tag: 'ObserveFailed',
      uid: request(1).uid,
      credential: 'bootstrap',
      failure: unreachable,
      at: time,
    })
  const once = broken(submitted(start, 1, noon), noon)
  assert.equal(next(once, noon), { _tag: 'Wait', until: at(800) })
  assert.is(next(once, at(800))._tag, 'Observe')
  const twice = broken(once, at(800))
  assert.equal(next(twice, at(800)), { _tag: 'Wait', until: at(800 + 1_600) })
})

test('counts what fails, and begins anew after a denial', () => {
  const failed = (facts: Facts, time: Instant) =>
    clientGo.evolve(facts, {
      _tag: 'SubmitFailed',
      draft: O.none,
      credential: 'bootstrap',
      failure: unreachable,
      at: time,
    })
  let facts = start
  let now = noon
  const waited: Array<number> = []
  for (let attempt = 0; attempt < 6; attempt += 1) {
    facts = failed(facts, now)
    const wait = next(facts, now)
    if (wait._tag !== 'Wait') throw new Error(wait._tag)
    waited.push(Math.floor((wait.until - now) / second))
    now = wait.until
  }
  assert.equal(
    waited.map((seconds, attempt) => seconds >= ([2, 4, 8, 16, 32, 32][attempt] ?? 0)),
    new Array(6).fill(true),
  )
  const denied = clientGo.evolve(submitted(facts, 1, now), {
    _tag: 'Observed',
    uid: request(1).uid,
    observation: { _tag: 'Denied', reason: '', message: '' },
    at: now,
  })
  assert.is(next(denied, now)._tag, 'Wait')
  assert.is(next(denied, after(now, 33 * second))._tag, 'Submit')
})

test('goes by what it has where it has forgotten the rest', () => {
  const holding: Facts = { ...noFacts(O.some(template)), held: O.some(held()) }
  assert.is(next(holding, noon)._tag, 'Wait')
  const pending: Facts = { ...holding, next: O.some({ _tag: 'Pending', request: request(1) }) }
  assert.is(next(pending, noon)._tag, 'Observe')
  const nameless = clientGo.evolve(noFacts(O.none), {
    _tag: 'SubmitFailed',
    draft: O.none,
    credential: 'bootstrap',
    failure: unreachable,
    at: noon,
  })
  assert.is(next(nameless, noon)._tag, 'Wait')
})

test('wants nothing where nothing is wanted', () => {
  assert.is(next(noFacts(O.none), instant(0))._tag, 'Wait')
})
