import * as O from 'fp-ts/lib/Option.js'
import { effects } from '../../../src/machine/effects.js'
import type { Event } from '../../../src/machine/event.js'
import { type CredentialName, type Facts, noFacts } from '../../../src/machine/facts.js'
import { evolve } from '../../../src/machine/machine.js'
import type { FailureTag } from '../../../src/model/failure.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { assert, suite } from '../../helper/index.js'
import { held, keyId, noon, request, template, trouble } from '../samples.js'

const test = suite('adoption of a cluster')

const untrusted: Facts = {
  ...noFacts(O.some(template)),
  held: O.some(held({ serverUntrustedAt: O.some(noon) })),
}
const own = request(keyId(2))
const pending: Facts = { ...untrusted, next: O.some({ _tag: 'Pending', request: own }) }

const isAdopted = (facts: Facts, event: Event): boolean =>
  effects(defaultPolicy)(
    { facts, at: noon },
    { facts: evolve(defaultPolicy)(facts, event), at: noon },
    event,
  ).some(({ _tag }) => _tag === 'AdoptCluster')

const submitted = (credential: CredentialName): Event => ({
  _tag: 'Submitted',
  request: own,
  credential,
  serverTime: O.none,
  at: noon,
})
const failed = (tag: FailureTag, credential: CredentialName): Event => ({
  _tag: 'SubmitFailed',
  draft: O.none,
  credential,
  failure: trouble(tag),
  at: noon,
})
const approved: Event = { _tag: 'Observed', uid: own.uid, observation: { _tag: 'Approved' }, at: noon }
const trusted: Facts = { ...untrusted, held: O.some(held()) }

const cases: ReadonlyArray<readonly [string, Facts, Event, boolean]> = [
  ['takes a request', untrusted, submitted('bootstrap'), true],
  [
    'refuses the token: it has been verified all the same',
    untrusted,
    failed('CredentialRejected', 'bootstrap'),
    true,
  ],
  ['tells of a request', pending, approved, true],
  ['cannot be verified either', untrusted, failed('ServerUntrusted', 'bootstrap'), false],
  ['is out of reach', untrusted, failed('Unreachable', 'bootstrap'), false],
  ['was not asked', untrusted, failed('NoCredential', 'bootstrap'), false],
  ['is the one that the certificate is for', untrusted, submitted('held'), false],
  ['tells of a request of somebody else', pending, { ...approved, uid: 'other' }, false],
  ['is asked although nothing is wrong with the other', trusted, submitted('bootstrap'), false],
]
for (const [what, facts, event, expected] of cases)
  test(`${expected ? 'follows' : 'does not follow'} when the server of the bootstrap kubeconfig ${what}`, () => {
    assert.is(isAdopted(facts, event), expected)
  })
