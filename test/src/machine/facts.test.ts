import * as O from 'fp-ts/lib/Option.js'
import {
  type Facts,
  type NextRequest,
  nextKeyOf,
  noFacts,
  outstanding,
  savedDraft,
  withoutNext,
} from '../../../src/machine/facts.js'
import { assert, suite } from '../../helper/index.js'
import { at, delivered, draft, keyId, noon, request, template } from '../samples.js'

const test = suite('facts')

const requested = O.some({ why: 'the trust changed', at: noon } as const)
const knowing = (next: NextRequest): Facts => ({ ...noFacts(O.some(template)), next: O.some(next) })
const saved = knowing({ _tag: 'Saved', draft: draft(keyId(2)) })
const arriving = knowing({
  _tag: 'Delivered',
  request: request(keyId(2)),
  delivered: delivered(noon, { keyId: keyId(2), notAfter: at(1) }),
  answers: requested,
})

test('knows the key of the next certificate wherever its request is', () => {
  const own = request(keyId(2))
  for (const facts of [
    saved,
    knowing({ _tag: 'Pending', request: own }),
    knowing({ _tag: 'Approved', request: own }),
    arriving,
  ])
    assert.equal(nextKeyOf(facts), O.some(keyId(2)))
  assert.equal(nextKeyOf(noFacts(O.none)), O.none)
})

test('takes no saved request for one at the API, and no certificate that expired for one to store', () => {
  assert.is(outstanding(saved, noon), undefined)
  assert.is(outstanding(arriving, noon)?._tag, 'Delivered')
  assert.is(outstanding(arriving, at(1)), undefined)
  assert.equal([savedDraft(saved), savedDraft(arriving)], [O.some(draft(keyId(2))), O.none])
})

test('does not lose what a delivered certificate is to answer', () => {
  assert.equal(withoutNext(arriving).requested, requested)
  const again = O.some({ why: 'requested by the embedder', at: at(1) } as const)
  assert.equal(withoutNext({ ...arriving, requested: again }).requested, again)
  assert.equal(withoutNext(noFacts(O.none)), noFacts(O.none))
})
