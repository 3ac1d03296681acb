import * as O from 'fp-ts/lib/Option.js'
import { adviceFor, waitingFor } from '../../../src/describe/waiting.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, held, keyId, request, template, trouble } from '../samples.js'

const test = suite('waiting')

const policy = { ...defaultPolicy, probeInterval: 0 }
const fresh = noFacts(O.some(template))
const working: Facts = { ...fresh, held: O.some(held()) }
const asked = request(keyId(2))
const pending: Facts = {
  ...working,
  next: O.some({ _tag: 'Pending', request: asked }),
  submittedAt: O.some(at(0)),
}
const failing: Facts = {
  ...fresh,
  lastFailure: O.some({
    at: at(0),
    delay: minute,
    attempt: 1,
    refusals: 0,
    failure: trouble('Unreachable'),
    credential: O.none,
  }),
}

test('is for the renewal window where one is earlier than the deadline', () => {
  const window = { start: at(0.5 * day), end: at(0.6 * day), reason: 'new CA', source: 'windows.yaml' }
  assert.equal(waitingFor(policy, { ...working, window: O.some(window) }, at(0)), {
    what: 'its time in the renewal window of windows.yaml',
    since: O.none,
    until: O.some(at(0.5 * day)),
  })
})

test('is for the rotation deadline while a certificate is at rest, and for nothing with rotation off', () => {
  assert.equal(waitingFor(policy, working, at(0)), {
    what: 'the rotation deadline',
    since: O.none,
    until: O.some(at(0.7 * day)),
  })
  assert.is(
    waitingFor({ ...policy, rotate: false }, working, at(0)).what,
    'nothing: rotation is switched off',
  )
  assert.equal(adviceFor(policy, working, at(0)), [])
})

test('is for approval since the request was sent; a person can approve it', () => {
  assert.equal(waitingFor(policy, pending, at(minute)), {
    what: `approval of request ${asked.name}`,
    since: O.some(at(0)),
    until: O.none,
  })
  const [first = '', second = ''] = adviceFor(policy, pending, at(minute))
  assert.match(first, `kubectl certificate approve ${asked.name}`)
  assert.match(second, ':nodeclient')
  const other = { ...asked, template: { ...template, signerName: 'example.com/own' } }
  const own: Facts = { ...pending, next: O.some({ _tag: 'Pending', request: other }) }
  assert.is(adviceFor(policy, own, at(minute)).length, 1)
})

test('is for the signer when the request is approved', () => {
  const approved: Facts = { ...pending, next: O.some({ _tag: 'Approved', request: asked }) }
  assert.match(
    waitingFor(policy, approved, at(0)).what,
    `request ${asked.name} to be signed by kubernetes.io/`,
  )
  assert.match(adviceFor(policy, approved, at(0)).join(), 'does not sign')
})

test('is for the next attempt after a failure, whose cure a person has', () => {
  assert.equal(waitingFor(policy, failing, at(0)), {
    what: 'the next attempt after Unreachable',
    since: O.some(at(0)),
    until: O.some(at(minute)),
  })
  assert.equal(adviceFor(policy, failing, at(0)), ['look into it'])
})

test('has a cure at rest, too, where the API does not answer', () => {
  const outage = {
    since: at(0),
    last: at(0),
    times: 1,
    failure: trouble('Unreachable'),
    credential: O.none,
  }
  assert.equal(adviceFor(policy, { ...working, ongoing: [outage] }, at(0)), ['look into it'])
})

test('is for nothing when something is done now', () => {
  assert.is(waitingFor(policy, fresh, at(0)).what, 'nothing: a request is sent now')
  assert.is(waitingFor(policy, working, at(0.8 * day)).what, 'nothing: a request is sent now')
  const arrived: Facts = {
    ...fresh,
    next: O.some({ _tag: 'Delivered', request: asked, delivered: delivered(at(0)), answers: O.none }),
  }
  assert.is(waitingFor(policy, arrived, at(0)).what, 'nothing: the certificate is stored now')
})

test('is for its time where that is all, and for word of what is wanted', () => {
  const early: Facts = { ...fresh, held: O.some(held({ notBefore: at(day), notAfter: at(2 * day) })) }
  assert.equal(waitingFor(policy, early, at(0)), { what: 'its time', since: O.none, until: O.some(at(day)) })
  assert.equal(adviceFor(policy, early, at(0)), ["set this machine's clock, if it is wrong"])
  assert.equal(adviceFor(policy, fresh, at(0)), [])
  const idle = noFacts(O.none)
  assert.is(waitingFor(policy, idle, at(0)).what, 'word of what certificate is wanted')
  assert.is(waitingFor(policy, idle, at(0), O.some('the addresses')).what, 'the addresses')
  const idleFailing = { ...idle, lastFailure: O.map((last: object) => Object(last))(failing.lastFailure) }
  assert.equal(waitingFor(policy, { ...idleFailing }, at(0)).until, O.none)
})
