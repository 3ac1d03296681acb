import * as O from 'fp-ts/lib/Option.js'
import { credentialFor, inUse, withAcceptance, withServerUntrusted } from '../../../src/machine/credential.js'
import { type Facts, noFacts, type OngoingFailure } from '../../../src/machine/facts.js'
import { withFailure } from '../../../src/machine/retry.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, held, keyId, noon, request, template, trouble } from '../samples.js'

const test = suite('credential')

const nothing = noFacts(O.some(template))
const holding = (differences: Parameters<typeof held>[0] = {}): Facts => ({
  ...nothing,
  held: O.some(held(differences)),
})

test('offers an early certificate, and the bootstrap credential once it has expired', () => {
  assert.is(credentialFor(defaultPolicy, holding({ notBefore: at(hour) }), noon), 'held')
  assert.is(credentialFor(defaultPolicy, holding(), at(24 * hour)), 'bootstrap')
  assert.is(credentialFor(defaultPolicy, nothing, noon), 'bootstrap')
})

for (const tag of ['CredentialRejected', 'NoCredential', 'Forbidden'] as const)
  test(`goes on with the bootstrap credential after ${tag}`, () => {
    const facts = withFailure(defaultPolicy, holding(), trouble(tag), O.some('held'), noon)
    assert.is(credentialFor(defaultPolicy, facts, noon), 'bootstrap')
  })

test('keeps the pause when a rejected certificate is accepted, and forgets whose credential it was', () => {
  const facts = withFailure(
    defaultPolicy,
    holding({ rejectedAt: O.some(noon) }),
    trouble('NoCredential'),
    O.some('bootstrap'),
    noon,
  )
  assert.equal(
    withAcceptance(facts, noon).lastFailure,
    O.map((last: object) => ({ ...last, credential: O.none }))(facts.lastFailure),
  )
  assert.is(withAcceptance(holding(), noon).lastFailure, O.none)
})

test('remembers since when the server cannot be verified', () => {
  const facts = withServerUntrusted(holding(), at(hour))
  assert.equal(facts.held, O.some(held({ serverUntrustedAt: O.some(at(hour)) })))
  assert.equal(facts.checkedAt, O.some(at(hour)))
  assert.equal(withServerUntrusted(facts, at(2 * hour)).held, facts.held)
})

test('asks for no further certificate where one that came since did not help', () => {
  const since = (one: Partial<OngoingFailure> = {}): Facts => ({
    ...holding({ receivedAt: at(hour) }),
    ongoing: [
      {
        failure: trouble('ServerUntrusted'),
        credential: O.some('held'),
        since: at(hour),
        last: at(hour),
        times: 1,
        ...one,
      },
    ],
  })
  const isDoubted = (facts: Facts) =>
    O.exists(({ serverUntrustedAt }: ReturnType<typeof held>) => O.isSome(serverUntrustedAt))(
      withServerUntrusted(facts, at(2 * hour)).held,
    )
  assert.is(isDoubted(since()), false)
  assert.is(isDoubted(since({ since: at(hour + 999) })), false, 'receipts are whole seconds')
  assert.is(isDoubted(since({ since: at(hour + 1_000) })), true, 'it came before')
  assert.is(isDoubted(since({ credential: O.some('bootstrap') })), true)
  assert.is(isDoubted(since({ credential: O.none })), true)
  assert.is(isDoubted(since({ failure: trouble('Unreachable') })), true)
})

const arriving = (previous: Facts['held']): Facts => ({
  ...nothing,
  held: previous,
  next: O.some({
    _tag: 'Delivered',
    request: request(keyId(2)),
    delivered: delivered(noon, { keyId: keyId(2), notAfter: at(2 * day) }),
    answers: O.none,
  }),
})

const using: ReadonlyArray<readonly [string, Parameters<typeof held>[0], number, number | undefined]> = [
  ['the held certificate while it works', {}, 0, 1],
  ['the delivered one when the held one has expired', {}, day, 2],
  ['the delivered one when the held one is rejected', { rejectedAt: O.some(noon) }, 0, 2],
  ['the delivered one when the held one is early', { notBefore: at(hour) }, 0, 2],
  [
    'the held one when the delivered one has expired',
    { notAfter: at(3 * day), rejectedAt: O.some(noon) },
    2 * day,
    1,
  ],
  ['none when both have expired', {}, 2 * day, undefined],
]
for (const [what, differences, later, expected] of using)
  test(`presents ${what}`, () => {
    const used = inUse(defaultPolicy, arriving(O.some(held(differences))), at(later))
    assert.is(O.toUndefined(used)?.keyId, expected === undefined ? undefined : keyId(expected))
  })

test('goes on presenting a certificate that is rejected or early when there is no other', () => {
  for (const certificate of [held({ rejectedAt: O.some(noon) }), held({ notBefore: at(hour) })])
    assert.equal(
      inUse(defaultPolicy, { ...nothing, held: O.some(certificate) }, noon),
      O.some(certificate.certificate),
    )
})
