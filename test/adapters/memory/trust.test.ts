import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { authoritiesPem, memoryTrust, trustErrors } from '../../../adapters/memory/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('memory trust')

test('compares certificates with no CA until it is told one', async () => {
  const trust = memoryTrust()
  assert.equal([trust.required, await trust.read()], [false, E.right(O.none)])
  trust.set({ required: true, authorities: O.some(['a', 'b']) })
  assert.equal([trust.required, await trust.read()], [true, E.right(O.some(authoritiesPem(['a', 'b'])))])
})

test('fails as it is told', async () => {
  const trust = memoryTrust({ required: true })
  const mend = trust.inject({ answer: trustErrors.unreadable })
  assert.equal(await trust.read(), E.left(trustErrors.unreadable))
  mend()
  assert.equal(await trust.read(), E.right(O.none))
})
