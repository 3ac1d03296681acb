/** A piece of a rotation's life, as the steps that it tells. */
import * as O from 'fp-ts/lib/Option.js'
import type { Step } from '../../../src/describe/transition.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve, stateOf } from '../../../src/machine/machine.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { at, chain, held, keyId, noon, request, template, trouble } from '../samples.js'

export const policy = { ...defaultPolicy, probeInterval: 0 }

/** The steps that a rotation makes of events, or of the time alone. */
const stepsOf = (begin: Facts, learnt: ReadonlyArray<Event | Instant>): ReadonlyArray<Step> => {
  let facts = begin
  let since: Instant = noon
  return learnt.map((one) => {
    const [now, event] = typeof one === 'number' ? [one, undefined] : [one.at, one]
    const before = facts
    facts = event === undefined ? facts : evolve(policy)(facts, event)
    const [from, to] = [stateOf(policy)(before, now), stateOf(policy)(facts, now)]
    const step = {
      since,
      at: now,
      ...(event === undefined ? {} : { event }),
      before,
      after: facts,
      from,
      to,
    }
    since = now
    return step
  })
}

/** A certificate is there, comes due, a request fails, the next one is denied, the third one is issued. */
export const steps = stepsOf(noFacts(O.some(template)), [
  { _tag: 'Loaded', at: noon, held: O.some(held()), draft: O.none },
  at(20 * hour),
  {
    _tag: 'SubmitFailed',
    at: at(20 * hour + second),
    draft: O.none,
    credential: 'held',
    failure: trouble('Unreachable'),
  },
  {
    _tag: 'Submitted',
    at: at(20 * hour + minute),
    request: request(keyId(2)),
    credential: 'held',
    serverTime: O.none,
  },
  {
    _tag: 'Observed',
    at: at(20 * hour + 2 * minute),
    uid: request(keyId(2)).uid,
    observation: { _tag: 'Denied', reason: 'No', message: 'never' },
  },
  {
    _tag: 'Submitted',
    at: at(20 * hour + 5 * minute),
    request: request(keyId(3)),
    credential: 'held',
    serverTime: O.none,
  },
  {
    _tag: 'Observed',
    at: at(20 * hour + 6 * minute),
    uid: request(keyId(3)).uid,
    observation: {
      _tag: 'Issued',
      chain: chain({ keyId: keyId(3), serialNumber: '0c', notAfter: at(2 * day) }),
    },
  },
  { _tag: 'Installed', at: at(20 * hour + 7 * minute), keyId: keyId(3) },
  { _tag: 'CredentialAccepted', at: at(21 * hour), keyId: keyId(3) },
])
