import * as O from 'fp-ts/lib/Option.js'
import type { Event, Observation } from '../../src/event.js'
import { failure } from '../../src/failure.js'
import { printAction, printEvent, printState } from '../../src/print.js'
import { initial } from '../../src/state.js'
import { endOfTime, hour } from '../../src/time.js'
import { assert, suite } from '../helper/index.js'
import { at, draft, held, keyId, noon, template } from './samples.js'

const test = suite('print')

const none = initial(O.some(template))
const trouble = failure('Unreachable', 'soon', 'no answer from the API server', 'see that it runs')

test('prints each event with what it tells', () => {
  const events: ReadonlyArray<readonly [Event, string]> = [
    [{ _tag: 'Loaded', at: noon, held: O.none, draft: O.none }, 'Loaded nothing'],
    [
      { _tag: 'Loaded', at: noon, held: O.some(held()), draft: O.some(draft(keyId(2))) },
      'Loaded 0a1b and csr-0002',
    ],
    [
      { _tag: 'ProbeFailed', at: noon, keyId: keyId(1), failure: trouble },
      `ProbeFailed: Unreachable, ${trouble.message}`,
    ],
    [{ _tag: 'TemplateChanged', at: noon, template: O.none }, 'TemplateChanged to none'],
    [
      {
        _tag: 'TemplateChanged',
        at: noon,
        template: O.some({ ...template, dnsNames: ['a.example'], ipAddresses: ['::1'], uris: ['urn:a'] }),
      },
      'TemplateChanged to system:node:worker-1 a.example ::1 urn:a',
    ],
    [{ _tag: 'RotationAsked', at: noon, why: 'the trust changed' }, 'RotationAsked: the trust changed'],
    [{ _tag: 'TimePassed', at: noon }, 'TimePassed'],
  ]
  for (const [event, line] of events) assert.is(printEvent(event), line)
})

test('prints what was seen of a request', () => {
  const seen = (observation: Observation) => printEvent({ _tag: 'Observed', at: noon, uid: 'u', observation })
  assert.is(seen({ _tag: 'Gone' }), 'Observed Gone')
  assert.is(seen({ _tag: 'Denied', reason: 'Policy', message: 'no' }), 'Observed Denied: Policy: no')
  assert.is(seen({ _tag: 'Unreadable', problem: 'no PEM' }), 'Observed Unreadable: no PEM')
  assert.is(seen({ _tag: 'Issued', chain: held() }), 'Observed Issued 0a1b')
})

test('prints a state with all that can matter next', () => {
  assert.is(printState(initial(O.none)), 'Bootstrapping, nothing wanted')
  const setback = { at: noon, delay: hour, attempt: 2, failure: trouble, credential: O.none }
  const asked = O.some({ why: 'the trust changed' as const, at: noon })
  assert.is(
    printState({
      ...none,
      _tag: 'Bootstrapping',
      held: O.some(held({ rejectedAt: O.some(noon) })),
      draft: O.some(draft(keyId(2))),
      asked,
      setback: O.some(setback),
    }),
    'Bootstrapping, held 0a1b, refused since 2026-11-23T12:00:00Z, draft csr-0002, asked: the trust changed, attempt 2 failed (Unreachable)',
  )
  assert.is(
    printState({
      ...none,
      _tag: 'RenewDue',
      held: held(),
      draft: O.none,
      causes: [
        { _tag: 'Deadline' },
        { _tag: 'Template', unmet: ['DNS name a is missing'] },
        { _tag: 'Asked', why: 'the trust changed' },
      ],
    }),
    'RenewDue 0a1b (deadline; DNS name a is missing; the trust changed)',
  )
})

test('prints an action, and until when it lasts', () => {
  assert.is(printAction({ _tag: 'Wait', until: at(hour) }), 'wait until 2026-11-23T13:00:00Z')
  assert.is(printAction({ _tag: 'Wait', until: endOfTime }), 'wait for news')
  assert.is(printAction({ _tag: 'Probe', keyId: keyId(1) }), 'probe')
  assert.is(
    printAction({ _tag: 'Submit', template, draft: O.some(draft(keyId(2))), credential: 'held' }),
    'submit csr-0002 with held',
  )
  const request = { ...draft(keyId(2)), uid: 'u', resourceVersion: '1' }
  const observed = { _tag: 'Observe', request, known: 'Pending', credential: 'bootstrap' } as const
  assert.is(printAction({ ...observed, until: endOfTime }), 'observe csr-0002 with bootstrap')
  assert.is(
    printAction({ ...observed, until: at(hour) }),
    'observe csr-0002 with bootstrap until 2026-11-23T13:00:00Z',
  )
})
