import * as O from 'fp-ts/lib/Option.js'
import type { Situation } from '../../../adapters/command-line/inquiry.js'
import { lifeBar } from '../../../adapters/command-line/life-bar.js'
import { changes, drawing } from '../../../adapters/command-line/status-watch.js'
import { screen, type Watched, wrapped } from '../../../adapters/command-line/watch-view.js'
import { snapshotOf } from '../../../src/describe/snapshot.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, hour, type Instant, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, keyId, request, template, trouble } from '../../src/samples.js'

const test = suite('status --watch')

const policy = { ...defaultPolicy, probeInterval: 0 }
const working: Facts = { ...noFacts(O.some(template)), held: O.some(held()) }
const agent = { program: 'kube-cert-rotation', hostname: 'worker-1', pid: 41, since: '2026-11-23T11:00:00Z' }

const live = (facts: Facts, now: Instant, differences: Partial<Situation> = {}): Watched => ({
  prefix: 'kubelet-client',
  situation: {
    now,
    policy,
    facts,
    draft: O.none,
    agent,
    snapshot: snapshotOf({ policy, facts }, now, {
      recent: [
        { at: at(0), level: 'info', reason: 'Installed', message: 'stored and in use' },
        { at: at(5 * hour), level: 'warn', reason: 'Unreachable', message: 'no answer; look into it' },
      ],
      connections: O.some({ current: 3, earlier: 1, none: 0 }),
      awaited: O.none,
    }),
    warnings: [],
    ...differences,
  },
})

const plain = (_: string, text: string) => text
const shown = (watched: ReadonlyArray<Watched>, now: Instant, columns = 80): string =>
  screen(watched, { title: 'certificates in /var/lib/kubelet/pki', now, columns, paint: plain }).join('\n')

const pending: Facts = {
  ...working,
  next: O.some({ _tag: 'Pending', request: request(keyId(2)) }),
  submittedAt: O.some(at(17 * hour)),
}

test('shows a certificate at rest: its life, what is waited for, who keeps it, what happened', () => {
  assert.is(
    shown([live(working, at(6 * hour))], at(6 * hour)),
    `certificates in /var/lib/kubelet/pki, 2026-11-23T18:00:00Z; Ctrl-C ends this
life: # gone, > now, = renewal window, R renewal, - left

kubelet-client: Issued
  certificate  0a1b of system:node:worker-1
  life         [###############>----------------------------R============------]
               25 % is over; renewal at 2026-11-24T04:48:00Z (in 10h 48m),
               window 04:48:00 to 09:36:00; expires at 2026-11-24T12:00:00Z (in
               18h)
  waits for    the rotation deadline, until 2026-11-24T04:48:00Z (in 10h 48m)
  connections  3 with the current certificate, 1 with an earlier one
  agent        kube-cert-rotation, process 41 on worker-1, since
               2026-11-23T11:00:00Z
  12:00:00     Installed: stored and in use
  17:00:00     warn Unreachable: no answer; look into it`,
  )
})

test('shows a renewal window: who suggests it, why, and when the renewal is', () => {
  const window = { start: at(7 * hour), end: at(8 * hour), reason: 'new CA', source: 'windows.yaml' }
  const text = shown([live({ ...working, window: O.some(window) }, at(6 * hour))], at(6 * hour))
  assert.match(
    text,
    `  window       from 2026-11-23T19:00:00Z to 2026-11-23T20:00:00Z, suggested by
               windows.yaml: new CA, to be renewed at 2026-11-23T19:00:00Z
  waits for    its time in the renewal window of windows.yaml, until
               2026-11-23T19:00:00Z (in 1h)`,
  )
  assert.match(text, 'renewal at 2026-11-23T19:00:00Z (in 1h), window\n               19:00:00 to 20:00:00;')
})

test('shows a renewal that waits for approval, and what a person can do', () => {
  const text = shown([live(pending, at(18 * hour))], at(18 * hour))
  assert.match(text, 'kubelet-client: Pending\n')
  assert.match(text, /waits for {4}approval of request csr-0002, since 2026-11-24T05:00:00Z \(1h ago\)/)
  assert.match(text, /you can {6}look at the request with kubectl describe csr csr-0002/)
})

test('shows why it fails, and when that is over', () => {
  const failure = {
    at: at(0),
    delay: minute,
    attempt: 3,
    refusals: 3,
    failure: trouble('Forbidden'),
    credential: O.none,
  }
  const text = shown(
    [live({ ...noFacts(O.some(template)), lastFailure: O.some(failure) }, at(20_000))],
    at(20_000),
  )
  assert.match(text, 'certificate  none\n')
  const oneLine = text.replaceAll(/\s+/g, ' ')
  assert.match(
    oneLine,
    /waits for the next attempt after Forbidden, since \S+ \(20s ago\), until \S+ \(in 40s\)/,
  )
  assert.match(text, 'last failure Forbidden, attempt 3, 20s ago: Forbidden happened')
  assert.match(text, 'you can      look into it')
})

test('shows each certificate of a directory, one that nobody keeps, and one that cannot be read', () => {
  const text = shown(
    [
      live(working, at(0), { agent: null, snapshot: undefined, warnings: ['a pair does not match'] }),
      { prefix: 'kubelet-server', situation: undefined, problem: 'it cannot be read; look' },
    ],
    at(0),
  )
  assert.match(text, 'agent        nobody: no agent is running')
  assert.match(text, 'warning      a pair does not match')
  assert.match(text, 'kubelet-server: it cannot be read; look')
  assert.not.match(text, 'waits for')
})

test('is not wider than the terminal, whatever is in it', () => {
  const long = live(pending, at(18 * hour), { warnings: ['x'.repeat(300), 'words '.repeat(60)] })
  for (const columns of [40, 60, 80, 132])
    for (const line of shown([long], at(18 * hour), columns).split('\n'))
      assert.ok(line.length <= columns, `${columns}: ${line}`)
})

test('says the same without colour', () => {
  const painted = screen([live(working, at(0))], {
    title: 't',
    now: at(0),
    columns: 80,
    paint: (colour, text) => `<${colour}>${text}</>`,
  }).join('\n')
  assert.match(painted, 'kubelet-client: <good>Issued</>')
  const unpainted = screen([live(working, at(0))], { title: 't', now: at(0), columns: 80, paint: plain })
  assert.is(painted.replace(/<\/?\w*>/g, ''), unpainted.join('\n'))
})

test('lets no text of others move the cursor', () => {
  const text = shown([live(working, at(0), { warnings: ['\u001b[2Jgone\nforged'] })], at(0))
  assert.not.match(text, '\u001b')
  assert.match(text, '[2Jgone forged')
})

test('tells each change in one line, and nothing while there is none', () => {
  const known = new Map<string, string>()
  assert.equal(changes(known, [live(working, at(0))], at(0)), [
    '2026-11-23T12:00:00Z kubelet-client: Issued; certificate 0a1b until 2026-11-24T12:00:00Z; waits for the rotation deadline until 2026-11-24T04:48:00Z',
  ])
  assert.equal(changes(known, [live(working, at(minute))], at(minute)), [])
  const [line = ''] = changes(known, [live(pending, at(17 * hour))], at(17 * hour))
  assert.match(line, /kubelet-client: Pending; .*waits for approval of request csr-0002$/)
  const problem = { prefix: 'kubelet-client', situation: undefined, problem: 'no\u001b[2J' }
  assert.equal(changes(known, [problem], at(0)), ['2026-11-23T12:00:00Z kubelet-client: no [2J'])
  const nobody = live(noFacts(O.none), at(0), { agent: null, snapshot: undefined })
  assert.match(changes(known, [nobody], at(0)).join(), 'no certificate; no agent is running')
})

test('draws the life from its begin to its end', () => {
  const bar = (now: number) => lifeBar(policy, { ...held(), window: O.none }, at(now), 42)
  assert.is(bar(-5 * minute), `[>${'-'.repeat(27)}R========---]`)
  assert.is(bar(0.8 * day), `[${'#'.repeat(28)}R###>====---]`)
  assert.is(bar(2 * day), `[${'#'.repeat(28)}R${'#'.repeat(10)}>]`)
  assert.is(bar(-day), bar(-5 * minute))
  const suggested = { start: at(0.25 * day), end: at(0.5 * day), reason: 'new CA', source: 'windows.yaml' }
  const life = { ...held(), window: O.some(suggested) }
  assert.is(lifeBar({ ...policy, rotate: false }, life, at(0), 12), '[>---------]')
  assert.is(lifeBar(policy, life, at(0), 42), `[>---------R==========${'-'.repeat(19)}]`)
})

test('draws only where a screen can be drawn, and colours only where they are wanted', () => {
  assert.equal(drawing(true, {}), { screen: true, colour: true })
  assert.equal(drawing(true, { NO_COLOR: '1' }), { screen: true, colour: false })
  assert.equal(drawing(true, { NO_COLOR: '' }), { screen: true, colour: true })
  assert.equal(drawing(true, { TERM: 'dumb' }), { screen: false, colour: false })
  assert.equal(drawing(false, {}), { screen: false, colour: false })
})

test('breaks lines between words', () => {
  assert.equal(wrapped('one two three four five six', 20, 2), ['one two three four', '  five six'])
  assert.equal(wrapped('', 20, 0), [''])
  assert.equal(wrapped('x'.repeat(45), 20, 0), ['x'.repeat(20), 'x'.repeat(20), 'x'.repeat(5)])
})
