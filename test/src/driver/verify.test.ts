import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { cryptoErrors, memoryPorts, storedPair, trustErrors } from '../../../adapters/memory/index.js'
import { readiness, verificationOf } from '../../../src/driver/verify.js'
import { assert, suite } from '../../helper/index.js'
import { at, noon } from '../samples.js'

const test = suite('verify')

const { pem } = storedPair({ key: 'a', notBefore: noon, notAfter: at(1) })
const ports = (required: boolean, ...authorities: ReadonlyArray<string>) =>
  memoryPorts({ now: noon, trust: { required, authorities: O.some(authorities) } })
const unchecked = E.right({ _tag: 'Unchecked' })

test('is unchecked where there is nothing to compare with', async () => {
  const { clock, crypto, trust } = memoryPorts({ now: noon })
  assert.equal(await verificationOf({ clock, crypto }, pem)(), unchecked)
  assert.equal(await verificationOf({ clock, crypto, trust }, pem)(), unchecked)
})

test('is verified, or not, by what the crypto backend says', async () => {
  assert.equal(await verificationOf(ports(true, 'memory'), pem)(), E.right({ _tag: 'Verified' }))
  for (const required of [true, false])
    assert.equal(
      await verificationOf(ports(required, 'x', 'y'), pem)(),
      E.right({
        _tag: 'Unverified',
        required,
        problem: 'it does not chain to a CA in memory: no CA there is called memory',
      }),
    )
})

for (const required of [true, false])
  test(`CAs that cannot be read ${required ? 'are an error where they are required' : 'do not matter where they are only expected'}`, async () => {
    const unread = ports(required, 'memory')
    unread.trust.inject({ answer: trustErrors.unreadable })
    const damaged = ports(required, 'memory')
    damaged.crypto.inject({ when: (what) => what === 'verifyChain', answer: cryptoErrors.keyUnavailable })
    const answers = [await verificationOf(unread, pem)(), await verificationOf(damaged, pem)()]
    if (!required) return assert.equal(answers, [unchecked, unchecked])
    const told = answers.map((answer) => (E.isLeft(answer) ? answer.left : assert.unreachable('read')))
    assert.equal(
      told.map((failure) => `${failure?._tag} ${failure?.retry} ${failure?.message}; ${failure?.remedy}`),
      [
        'TrustUnusable soon the CAs cannot be read: permission denied (memory); make them readable',
        'TrustUnusable soon memory: the key cannot be used: the token is not there (memory); insert the token',
      ],
    )
  })

test('CAs that are required and not there are an error, and not a reason to take every certificate', async () => {
  const nowhere = memoryPorts({ now: noon, trust: { required: true, authorities: O.none } })
  for (const answer of [await verificationOf(nowhere, pem)(), await readiness(nowhere)()])
    assert.match(E.isLeft(answer) ? answer.left.message : '', /^there are no CAs in memory/)
})

test('none is asked for that could not be judged', async () => {
  const wanted = ports(true, 'memory')
  assert.ok(E.isRight(await readiness(wanted)()))
  wanted.trust.inject({ answer: trustErrors.unreadable })
  assert.equal(await readiness(wanted)(), E.left(trustErrors.unreadable))
  wanted.trust.set({ required: false })
  assert.ok(E.isRight(await readiness(wanted)()))
  assert.ok(E.isRight(await readiness({})()))
})
