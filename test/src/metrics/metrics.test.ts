import * as O from 'fp-ts/lib/Option.js'
import { type Facts, noFacts } from '../../../src/machine/facts.js'
import { allMetrics, type Metric, metrics } from '../../../src/metrics/definitions.js'
import { countersOf, type Metrics, measure, noMetrics, sumOf } from '../../../src/metrics/metrics.js'
import { emptyTally, noAges, type Tally } from '../../../src/metrics/tally.js'
import { defaultPolicy } from '../../../src/model/policy.js'
import { day, minute } from '../../../src/model/time.js'
import { assert, suite } from '../../helper/index.js'
import { at, held, keyId, request, template, trouble } from '../samples.js'

const test = suite('metrics')

const fresh = noFacts(O.some(template))
const working: Facts = { ...fresh, held: O.some(held()) }
const of = (facts: Facts, tally: Tally = emptyTally, now = at(0)) => measure(defaultPolicy, facts, tally, now)

/** The one value of a metric; undefined: it is not told. */
const value = (metric: Metric, m: Metrics): number | undefined =>
  metric.type === 'histogram' ? undefined : metric.read(m)[0]?.value

const serving: Facts = {
  ...fresh,
  wanted: O.some({ ...template, usages: ['digital signature', 'server auth'] }),
}

test("tell the kubelet's time to live in whole seconds: +Inf without a certificate, negative after its end", () => {
  const ttl = metrics.clientTimeToLive
  assert.is(value(ttl, of(fresh)), Number.POSITIVE_INFINITY)
  assert.is(value(ttl, of(working)), day / 1000)
  assert.is(value(ttl, of(working, emptyTally, at(day + 1_999))), -1)
  assert.is(value(ttl, of(serving)), undefined)
  assert.is(value(metrics.serverTimeToLive, of(serving)), Number.POSITIVE_INFINITY)
  assert.is(value(metrics.serverTimeToLive, of(working)), undefined)
})

test('take a certificate that nobody wants anything of for what it says itself', () => {
  const isServer = (usages: O.Option<ReadonlyArray<string>>) =>
    of({ ...noFacts(O.none), held: O.some(held({ extendedKeyUsages: usages })) }).server.rotations === 1
  assert.is(isServer(O.some(['server auth'])), true)
  assert.is(isServer(O.some(['server auth', 'client auth'])), false)
  assert.is(isServer(O.none), false)
  assert.is(of(noFacts(O.none)).client.rotations, 1)
})

test('tell a renewal, and only while there is one to come', () => {
  assert.is(value(metrics.nextRenewal, of(working)), (at(0.7 * day) as number) / 1000)
  assert.is(value(metrics.nextRenewal, of(fresh)), undefined)
  const still = measure({ ...defaultPolicy, rotate: false }, working, emptyTally, at(0))
  assert.is(value(metrics.nextRenewal, still), undefined)
  assert.is(value(metrics.lastSuccess, of(working)), (at(0) as number) / 1000)
})

test('tell how much of a life is left', () => {
  const left = (now: number) => value(metrics.lifeLeft, of(working, emptyTally, at(now)))
  assert.is(left(-5 * minute), 1)
  assert.is(left(-6 * minute), 1)
  assert.is(left(2 * day), 0)
  assert.is(value(metrics.lifeLeft, of(fresh)), undefined)
})

test('tell a failure until the certificate is at rest', () => {
  const lastFailure = O.some({
    at: at(0),
    delay: minute,
    attempt: 1,
    refusals: 0,
    failure: trouble('Unreachable'),
    credential: O.none,
  })
  assert.is(of({ ...fresh, lastFailure }).failing, 1)
  assert.is(of({ ...working, lastFailure }).failing, 0)
  const next = O.some({ _tag: 'Pending', request: request(keyId(2)) } as const)
  assert.is(of({ ...working, next, lastFailure }).failing, 1)
  assert.is(of({ ...working, next }).states.Pending, 1)
})

test('do not count a rejected certificate as usable', () => {
  assert.is(of(working).usable, 1)
  assert.is(of({ ...fresh, held: O.some(held({ rejectedAt: O.some(at(0)) })) }).usable, 0)
})

const busy: Metrics = {
  ...of(working, { ...emptyTally, submitted: 2, renewalFailures: 3, replacedAges: { ...noAges, sum: 5 } }),
  clockSkew: -2 * minute,
  connections: { current: 1, earlier: 2, none: 3 },
  hooks: { runs: { succeeded: 1, failed: 2, timed_out: 3 }, failing: 1 },
  eventLoopDelay: { mean: 0.1, p99: 0.2, max: 0.3 },
}
const later = { ...of({ ...working, held: O.some(held({ notAfter: at(9 * day) })) }), clockSkew: minute }

test('of several are one: sums, and the worst of what is worth knowing of one', () => {
  for (const sum of [sumOf(busy, later), sumOf(later, { ...busy, at: at(1) })]) {
    assert.is(sum.states.Issued, 2)
    assert.is(sum.usable, 2)
    assert.is(sum.client.rotations, 2)
    assert.equal(sum.client.notAfter, O.some(at(day)))
    assert.equal(sum.lifeLeft, busy.lifeLeft)
    assert.is(sum.clockSkew, -2 * minute)
    assert.equal(sum.connections, busy.connections)
    assert.equal(sum.hooks, busy.hooks)
  }
  const twice = sumOf(busy, busy)
  assert.equal(twice.connections, { current: 2, earlier: 4, none: 6 })
  assert.equal(twice.hooks, { runs: { succeeded: 2, failed: 4, timed_out: 6 }, failing: 2 })
  assert.equal(twice.eventLoopDelay, busy.eventLoopDelay)
  assert.is(twice.client.replacedAges.sum, 10)
})

test('of several are of the latest moment, and tell the latest success', () => {
  const old = { ...of({ ...fresh, held: O.some(held({ receivedAt: at(-day) })) }), at: at(-day) }
  for (const sum of [sumOf(old, busy), sumOf(busy, old)]) {
    assert.is(sum.at, busy.at)
    assert.equal(sum.lastSuccess, busy.lastSuccess)
  }
  assert.equal(sumOf(noMetrics(at(0)), noMetrics(at(0))), noMetrics(at(0)))
})

test('of nothing change nothing', () => {
  assert.equal(sumOf(noMetrics(busy.at), busy), busy)
  assert.equal(sumOf(busy, noMetrics(busy.at)), busy)
})

test('keep the counters of a rotation that has ended, and nothing else', () => {
  const left = countersOf(busy)
  assert.equal(left.tally, busy.tally)
  assert.is(value(metrics.clientRenewErrors, left), 3)
  assert.is(value(metrics.clientTimeToLive, left), undefined)
  assert.is(left.usable, 0)
  assert.equal(left.lastSuccess, busy.lastSuccess)
})

test('have names of the field, units in them, and help that needs no escape', () => {
  assert.is(new Set(allMetrics.map(({ name }) => name)).size, allMetrics.length)
  for (const { name, type, unit, help } of allMetrics) {
    assert.match(name, /^kube(let|_cert_rotation)_[a-z0-9_]+$/)
    assert.ok(unit === undefined || name.endsWith(`_${unit}`), name)
    assert.ok(!name.startsWith('kube_') || (type === 'counter') === name.endsWith('_total'), name)
    assert.match(help, /^[A-Z][^"\\\n]*\.$/)
  }
})

test('have no label value but those that are defined, and all of them from the start', () => {
  for (const m of [busy, of(fresh), of(serving)])
    for (const metric of allMetrics) {
      if (metric.type === 'histogram') continue
      const samples = metric.read(m)
      const [label] = Object.keys(metric.labels)
      for (const { labels } of samples) assert.equal(Object.keys(labels), label === undefined ? [] : [label])
      if (label === undefined || samples.length === 0) continue
      assert.equal(
        samples.map(({ labels }) => labels[label]),
        metric.labels[label],
      )
    }
})

test('tell ages of replaced certificates where there are serving certificates', () => {
  assert.is(metrics.serverRotationAge.read(of(working)), undefined)
  assert.equal(metrics.serverRotationAge.read(of(serving)), noAges)
  assert.is(value(metrics.serverRenewErrors, of(serving)), 0)
  assert.is(value(metrics.serverRenewErrors, of(working)), undefined)
})
