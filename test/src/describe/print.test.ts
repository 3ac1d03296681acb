import * as O from 'fp-ts/lib/Option.js'
import { printAction, printEvent } from '../../../src/describe/print.js'
import type { Event, Observation } from '../../../src/machine/event.js'
import { endOfTime } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { chain, delivered, draft, held, keyId, noon, request, template, trouble } from '../samples.js'

const test = suite('print')

const observed = (observation: Observation): string =>
  printEvent({ _tag: 'Observed', uid: '', observation, at: noon })

const observations: ReadonlyArray<readonly [Observation, string]> = [
  [{ _tag: 'Pending' }, 'Observed Pending'],
  [{ _tag: 'Approved' }, 'Observed Approved'],
  [{ _tag: 'Gone' }, 'Observed Gone'],
  [{ _tag: 'Issued', chain: chain() }, 'Observed Issued 0a1b'],
  [
    { _tag: 'Unverifiable', chain: chain(), failure: trouble('TrustUnusable') },
    'Observed Issued 0a1b, unverifiable: TrustUnusable, TrustUnusable happened',
  ],
  [{ _tag: 'Unreadable', problem: 'no PEM' }, 'Observed Unreadable: no PEM'],
  [{ _tag: 'Denied', reason: 'No', message: 'not you' }, 'Observed Denied: No: not you'],
  [{ _tag: 'Failed', reason: 'No', message: 'not this' }, 'Observed Failed: No: not this'],
]
for (const [observation, line] of observations)
  test(`prints ${line}`, () => {
    assert.is(observed(observation), line)
  })

test('prints what was loaded', () => {
  const loaded = (found: Pick<Extract<Event, { readonly _tag: 'Loaded' }>, 'held' | 'draft'>) =>
    printEvent({ _tag: 'Loaded', ...found, at: noon })
  assert.is(loaded({ held: O.none, draft: O.none }), 'Loaded nothing')
  assert.is(loaded({ held: O.some(held()), draft: O.some(draft(keyId(2))) }), 'Loaded 0a1b and csr-0002')
})

test('prints a renewal window, or that there is none', () => {
  const window = { start: noon, end: noon, source: 'a file', reason: 'the CA is replaced' }
  const suggested = (found: O.Option<typeof window>) =>
    printEvent({ _tag: 'WindowSuggested', window: found, at: noon })
  assert.is(suggested(O.none), 'WindowSuggested: none')
  assert.match(
    suggested(O.some(window)),
    /^WindowSuggested: from .* suggested by a file: the CA is replaced$/,
  )
})

test('prints actions', () => {
  const own = request(keyId(2))
  const observe = { _tag: 'Observe', request: own, known: 'Pending', credential: 'held' } as const
  const lines = [
    printAction({ _tag: 'Submit', template, draft: O.none, credential: 'bootstrap' }),
    printAction({ _tag: 'Submit', template, draft: O.some(draft(keyId(2))), credential: 'held' }),
    printAction({ ...observe, until: endOfTime }),
    printAction({ ...observe, until: noon }),
    printAction({ _tag: 'Install', delivered: delivered(noon) }),
    printAction({ _tag: 'Probe', keyId: keyId(1) }),
    printAction({ _tag: 'Wait', until: endOfTime }),
    printAction({ _tag: 'Wait', until: noon }),
  ]
  assert.equal(lines, [
    'submit a new request with bootstrap',
    'submit csr-0002 with held',
    'observe csr-0002 with held',
    'observe csr-0002 with held until 2026-11-23T12:00:00Z',
    'install 0a1b',
    'probe',
    'wait for news',
    'wait until 2026-11-23T12:00:00Z',
  ])
})
