import * as NEA from 'fp-ts/lib/NonEmptyArray.js'
import * as O from 'fp-ts/lib/Option.js'
import { explain } from '../../../src/describe/explain.js'
import type { Event } from '../../../src/machine/event.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve } from '../../../src/machine/machine.js'
import { defaultPolicy, type RotationPolicy } from '../../../src/model/policy.js'
import { after, hour, type Instant, minute, second } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, chain, held, keyId, noon, otherTemplate, request, template, trouble } from '../samples.js'

const test = suite('explain')

/** What is known after events, explained at the time of the last one, or later. */
const toldBy = (
  policy: RotationPolicy,
  wanted: Facts['wanted'],
  events: NEA.NonEmptyArray<Event>,
  now: Instant = NEA.last(events).at,
): string =>
  explain(
    policy,
    events.reduce<Facts>((known, event) => evolve(policy)(known, event), noFacts(wanted)),
    now,
  )
const told = (...events: NEA.NonEmptyArray<Event>): string => toldBy(defaultPolicy, O.some(template), events)

const loaded = (from: Instant, differences: Parameters<typeof held>[0] = {}): Event => ({
  _tag: 'Loaded',
  held: O.some(held(differences)),
  draft: O.none,
  at: from,
})
const nothing: Event = { _tag: 'Loaded', held: O.none, draft: O.none, at: noon }
const own = request(keyId(2))
const { uid } = own
const submitted: Event = {
  _tag: 'Submitted',
  request: own,
  credential: 'bootstrap',
  serverTime: O.none,
  at: noon,
}
const approved: Event = { _tag: 'Observed', uid, observation: { _tag: 'Approved' }, at: noon }
const issued: Event = {
  _tag: 'Observed',
  uid,
  observation: { _tag: 'Issued', chain: chain({ keyId: keyId(2), serialNumber: 'f00d' }) },
  at: noon,
}
const diskFull: Event = {
  _tag: 'InstallFailed',
  keyId: keyId(2),
  failure: trouble('StoreUnwritable'),
  at: noon,
}

test('says that there is no certificate and what follows', () => {
  assert.is(
    told(nothing),
    'There is no certificate yet. Next: sends a request with the bootstrap credential, now.',
  )
})

test('says what went wrong, what helps, and when it looks again', () => {
  const failed: Event = {
    _tag: 'SubmitFailed',
    draft: O.some(own),
    credential: 'bootstrap',
    failure: trouble('Unreachable'),
    at: noon,
  }
  assert.match(
    told(nothing, failed),
    /^There is no certificate yet. Last failure, at 2026-11-23T12:00:00Z \(now\): Unreachable happened. What helps: look into it. Next: looks again at 2026-11-23T12:00:00Z \(in [01].?\d?s\).$/,
  )
  const again = toldBy(
    defaultPolicy,
    O.some(template),
    [nothing, failed, { ...failed, at: at(10 * second) }],
    at(30 * second),
  )
  assert.match(again, '(20s ago), 2 times in a row: Unreachable happened')
  assert.match(again, `Next: sends request ${own.name} with the bootstrap credential, now.`)
})

test('says who has to act on a request', () => {
  assert.is(
    told(submitted),
    `Request ${own.name} waits for approval (signer kubernetes.io/kube-apiserver-client-kubelet). There is no certificate yet. The request is watched with the bootstrap credential.`,
  )
  assert.is(
    told(submitted, approved),
    `Request ${own.name} is approved and waits to be signed by kubernetes.io/kube-apiserver-client-kubelet. There is no certificate yet. The request is watched with the bootstrap credential.`,
  )
})

test('says until when the certificate is in use while a request is under way', () => {
  assert.match(
    told(loaded(at(20 * hour)), submitted),
    'Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 1d).',
  )
})

test('says that a certificate has arrived, and whether it is in use already', () => {
  assert.is(
    told(submitted, issued),
    'Certificate f00d has arrived, is used from memory and is to be stored. Next: stores it, now.',
  )
  assert.match(told(submitted, issued, diskFull), 'Last failure, at')
  assert.is(
    told(loaded(at(20 * hour)), { ...submitted, at: at(20 * hour) }, { ...issued, at: at(20 * hour) }),
    'Certificate f00d has arrived and is to be stored. Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 4h). Next: stores it, now.',
  )
})

test('says that a certificate that is early waits for its time', () => {
  const early: Event = {
    _tag: 'Observed',
    uid,
    observation: {
      _tag: 'Issued',
      chain: chain({
        keyId: keyId(2),
        serialNumber: 'f00d',
        notBefore: at(21 * hour),
        notAfter: at(90 * hour),
      }),
    },
    at: at(20 * hour),
  }
  assert.match(
    told(loaded(at(20 * hour)), { ...submitted, at: at(20 * hour) }, early),
    'It is not valid before 2026-11-24T09:00:00Z (in 1h), and stored then.',
  )
})

test('says when an installed certificate is renewed', () => {
  assert.is(
    told(loaded(at(minute)), { _tag: 'CredentialAccepted', keyId: keyId(1), at: at(minute) }),
    'Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 23h 59m). It is renewed at 2026-11-24T04:48:00Z (in 16h 47m).',
  )
  assert.is(
    told(loaded(at(minute))),
    'Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 23h 59m). Next: asks the server whether it accepts the certificate, now.',
  )
})

test('says that rotation is switched off', () => {
  const policy = { ...defaultPolicy, rotate: false, probeInterval: 0 }
  assert.is(
    toldBy(policy, O.some(template), [loaded(at(minute))]),
    'Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 23h 59m). Rotation is switched off.',
  )
})

test('says each reason why a certificate is to be replaced', () => {
  const requested: Event = { _tag: 'RotationRequested', why: 'the trust changed', at: at(20 * hour) }
  const other: Event = { _tag: 'TemplateChanged', template: O.some(otherTemplate), at: at(20 * hour) }
  assert.is(
    told(loaded(at(20 * hour)), requested, other),
    'Certificate 0a1b is in use until 2026-11-24T12:00:00Z (in 4h). It is to be replaced: common name is system:node:worker-1, wanted is system:node:worker-2; the trust changed; its rotation deadline has passed. Next: sends a request with the held certificate, now.',
  )
})

test('says by whom a renewal was suggested, and why', () => {
  const window = {
    start: at(2 * hour),
    end: at(3 * hour),
    reason: 'the CA is replaced',
    source: 'windows.yaml',
  }
  const suggested: Event = { _tag: 'WindowSuggested', window: O.some(window), at: at(minute) }
  const words =
    'from 2026-11-23T14:00:00Z to 2026-11-23T15:00:00Z, suggested by windows.yaml: the CA is replaced'
  assert.match(
    toldBy({ ...defaultPolicy, probeInterval: 0 }, O.some(template), [loaded(noon), suggested]),
    `It is renewed at 2026-11-23T14:00:00Z (in 1h 59m), in the renewal window ${words}.`,
  )
  assert.match(
    toldBy(defaultPolicy, O.some(template), [loaded(noon), suggested], at(2 * hour)),
    `It is to be replaced: renewal window ${words}.`,
  )
})

test('says of a window that has no bearing on the renewal why that is so', () => {
  const window = { start: at(23 * hour), end: at(24 * hour), reason: '', source: 'windows.yaml' }
  const suggested: Event = { _tag: 'WindowSuggested', window: O.some(window), at: at(minute) }
  assert.match(
    toldBy({ ...defaultPolicy, probeInterval: 0 }, O.some(template), [loaded(noon), suggested]),
    / There is a renewal window from .* suggested by windows\.yaml; the rotation deadline is earlier, to be renewed at /,
  )
})

test('says why a certificate does not work', () => {
  assert.match(
    told(loaded(at(25 * hour))),
    'Certificate 0a1b expired at 2026-11-24T12:00:00Z (1h ago). Next: sends a request',
  )
  assert.match(
    told(loaded(at(hour)), { _tag: 'CredentialRejected', keyId: keyId(1), at: at(hour) }),
    'The server rejects certificate 0a1b since 2026-11-23T13:00:00Z (now). Next: sends a request with the bootstrap credential',
  )
  assert.match(
    told(loaded(at(-hour))),
    "Certificate 0a1b is not valid before 2026-11-23T11:55:00Z (in 55m) by this machine's clock; it is offered all the same.",
  )
})

test('says that it waits to be told what is wanted', () => {
  assert.is(
    toldBy(defaultPolicy, O.none, [nothing]),
    'There is no certificate yet. It waits to be told what certificate is wanted.',
  )
})

test('says what it waits for before it can say what is wanted, also where a certificate is in use', () => {
  const awaited = O.some('the addresses of this node')
  assert.is(
    explain(defaultPolicy, noFacts(O.none), at(0), awaited),
    'There is no certificate yet. It waits for the addresses of this node.',
  )
  assert.match(
    explain(defaultPolicy, { ...noFacts(O.none), held: O.some(held()) }, at(0), awaited),
    /is in use until .*\. It waits for the addresses of this node\. Next: asks the server/,
  )
})

test('names the external credential where one is used', () => {
  assert.match(
    toldBy({ ...defaultPolicy, authenticateWith: 'external' }, O.some(template), [nothing]),
    'with the external credential, now.',
  )
})

test('explains what is known as it is now, not as it was at the last event', () => {
  assert.match(
    toldBy(defaultPolicy, O.some(template), [loaded(noon)], after(noon, 25 * hour)),
    'Certificate 0a1b expired',
  )
})
