/** How much is logged, and asked for, while things go wrong for two weeks. */
import * as O from 'fp-ts/lib/Option.js'
import { type Transition, transitionOf } from '../../../src/describe/transition.js'
import type { Action } from '../../../src/machine/action.js'
import type { News, Outcome } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { decide, evolve, stateOf } from '../../../src/machine/machine.js'
import type { ApiError } from '../../../src/model/failure.js'
import { defaultPolicy as policy } from '../../../src/model/policy.js'
import { after, day, type Instant, second } from '../../../src/model/time.js'
import { assert, note, suite } from '../../helper/index.js'
import { at, chain, held, keyId, noon, request, template, trouble } from '../samples.js'

const test = suite('two weeks of trouble')

/** What comes of an action; `nth`: of how many before it. */
type World = (
  action: Exclude<Action, { readonly _tag: 'Wait' }>,
  nth: number,
  now: Instant,
) => ReadonlyArray<Outcome | News>

interface Weeks {
  readonly told: ReadonlyArray<Transition>
  readonly submits: number
  readonly facts: Facts
}

const known = new Map<World, Map<Facts, Weeks>>()

/** Two weeks in that world; those that were lived before are not lived again. */
const twoWeeks = (begin: Facts, world: World): Weeks => {
  const before = known.get(world) ?? new Map<Facts, Weeks>()
  const weeks = before.get(begin) ?? live(begin, world)
  known.set(world, before.set(begin, weeks))
  return weeks
}

const live = (begin: Facts, world: World): Weeks => {
  const told: Array<Transition> = []
  let facts = begin
  let since = noon
  let submits = 0
  let actions = 0
  const step = (next: Facts, now: Instant, event?: Outcome | News) => {
    const states = {
      from: stateOf(policy)(facts, event === undefined ? since : now),
      to: stateOf(policy)(next, now),
    }
    const learnt = event === undefined ? {} : { event: { ...event, at: now } }
    const transition = transitionOf(policy, {
      since,
      at: now,
      ...learnt,
      before: facts,
      after: next,
      ...states,
    })
    if (transition !== undefined) told.push(transition)
    facts = next
    since = now
  }
  for (let now = noon; now < at(14 * day); ) {
    step(facts, now)
    const action = decide(policy)(facts, now)
    if (action._tag === 'Wait') {
      now = action.until
      continue
    }
    if (action._tag === 'Submit') submits += 1
    now = after(now, second / 10)
    for (const fact of world(action, actions, now))
      step(evolve(policy)(facts, { ...fact, at: now }), now, fact)
    actions += 1
  }
  return { told, submits, facts }
}

/** Every action fails. */
const failing =
  (failures: ReadonlyArray<ApiError>): World =>
  (action, nth) => {
    const failure = failures[nth % failures.length] ?? trouble('Unreachable')
    switch (action._tag) {
      case 'Submit':
        return [{ _tag: 'SubmitFailed', draft: O.none, credential: action.credential, failure }]
      case 'Observe':
        return [{ _tag: 'ObserveFailed', uid: action.request.uid, credential: action.credential, failure }]
      case 'Install':
        return [
          {
            _tag: 'InstallFailed',
            keyId: action.delivered.certificate.keyId,
            failure: trouble('StoreUnwritable'),
          },
        ]
      case 'Probe':
        return [{ _tag: 'ProbeFailed', keyId: action.keyId, failure }]
    }
  }

/** Every request is approved or not, and comes to this. */
const deciding =
  (observation: 'Denied' | 'Failed' | 'Defective'): World =>
  (action, nth, now) => {
    if (action._tag === 'Probe') return [{ _tag: 'CredentialAccepted', keyId: action.keyId }]
    if (action._tag !== 'Submit') return []
    const own = request(keyId(100 + nth))
    const submitted = {
      _tag: 'Submitted',
      request: own,
      credential: action.credential,
      serverTime: O.none,
    } as const
    const about = { _tag: 'Observed', uid: own.uid } as const
    if (observation !== 'Defective')
      return [submitted, { ...about, observation: { _tag: observation, reason: 'No', message: 'never' } }]
    const expired = chain({ keyId: own.keyId, notAfter: after(now, -1) })
    return [
      submitted,
      { ...about, observation: { _tag: 'Approved' } },
      { ...about, observation: { _tag: 'Issued', chain: expired } },
    ]
  }

const nothing = noFacts(O.some(template))
const inUse: Facts = {
  ...nothing,
  held: O.some(held({ notBefore: at(-30 * day), notAfter: at(330 * day), receivedAt: at(-30 * day) })),
}
/** 70 % of its life are over, and there are 100 days left. */
const due: Facts = {
  ...nothing,
  held: O.some(held({ notBefore: at(-265 * day), notAfter: at(100 * day), receivedAt: at(-265 * day) })),
}

// Some are lived through for several questions, once.
const unreachable = failing([trouble('Unreachable')])
const rejected = failing([trouble('CredentialRejected')])
const noCredential = failing([trouble('NoCredential')])
const forbidden = failing([trouble('Forbidden', 'later')])
const denied = deciding('Denied')
const failed = deciding('Failed')

const worlds: ReadonlyArray<readonly [string, Facts, World, number]> = [
  ['the API is down, and nothing is due', inUse, unreachable, 12],
  ['the API is down, and a renewal is due', due, unreachable, 17],
  ['the API is down, and there is no certificate', nothing, unreachable, 17],
  ['the API fails in two ways', due, failing([trouble('Unreachable'), trouble('Unavailable')]), 33],
  ['both credentials are rejected', due, rejected, 33],
  ['the server cannot be verified', due, failing([trouble('ServerUntrusted')]), 33],
  ['everything is forbidden', due, forbidden, 18],
  ['there is no bootstrap credential', nothing, noCredential, 17],
  ['requests are denied, and a certificate is in use', due, denied, 16],
  ['requests are denied, and there is no certificate', nothing, denied, 26],
  ['requests are failed by the signer', due, failed, 16],
  ['certificates come expired', due, deciding('Defective'), 24],
]
for (const [what, begin, world, most] of worlds)
  test(`is at most ${most} lines when ${what}`, () => {
    const { told, submits } = twoWeeks(begin, world)
    note(`${what}: ${told.length} lines, ${submits} requests`)
    assert.ok(told.length <= most, `${told.length} lines`)
    assert.ok(told.length > 3, 'it is not silent')
  })

test('asks a few times a day where somebody says no and months are left, and every ten minutes where nothing works', () => {
  for (const world of [denied, failed, forbidden]) {
    const { submits } = twoWeeks(due, world)
    assert.ok(submits > 2 * 14 && submits < 6 * 14 + 12, `${submits} requests`)
  }
  assert.ok(twoWeeks(nothing, denied).submits > 100 * 14)
})

test('is an error where no certificate works and a person has to act, and a warning where it may pass', () => {
  const levels = (begin: Facts, world: World) => [
    ...new Set(twoWeeks(begin, world).told.map(({ level, reason }) => `${level} ${reason}`)),
  ]
  assert.equal(levels(nothing, unreachable), ['warn Unreachable'])
  assert.equal(levels(nothing, noCredential), ['error NoCredential'])
  assert.equal(levels(nothing, denied), ['info Submitted', 'error Denied'])
  assert.equal(levels(due, denied), ['info Submitted', 'warn Denied'])
  // The held certificate is next after the bootstrap credential, and the other way round.
  assert.equal(levels(due, rejected), ['warn CredentialRejected', 'error CredentialRejected'])
  const ending: Facts = {
    ...nothing,
    held: O.some(held({ notBefore: at(-80 * day), notAfter: at(20 * day), receivedAt: at(-80 * day) })),
  }
  const told = twoWeeks(ending, unreachable).told
  const firstError = told.find(({ level }) => level === 'error')
  assert.is(firstError?.reason, 'Unreachable')
  assert.ok(
    Math.abs((firstError?.at.getTime() ?? 0) - at(10 * day)) < day / 1_000,
    'at 90 % of its life, also between the lines of a row',
  )
})
