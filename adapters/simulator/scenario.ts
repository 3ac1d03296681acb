/** Scenarios as files: YAML, each duration with its unit, each part as a percentage. Every problem is told, with its path. */
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import type { Problem } from '../../src/model/codec.js'
import { defaultPolicy, policyProblems } from '../../src/model/policy.js'
import { day, endOfTime, hour, instant, type Milliseconds, minute, second } from '../../src/model/time.js'
import type { NamedPolicy, Scenario } from '../../src/simulator/scenario.js'
import { fields, list, matching, oneOf, or, readDocument, some, whole, yesOrNo } from '../platform/fields.js'

const units: Readonly<Record<string, Milliseconds>> = {
  ms: 1,
  s: second,
  m: minute,
  h: hour,
  d: day,
  w: 7 * day,
}

const inMilliseconds = (text: string): Milliseconds => {
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g))
    total += Number(amount) * (units[unit ?? ''] ?? 0)
  return Math.round(total)
}
const duration = matching(
  /^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/,
  'must be a duration with its unit, such as 30s, 10m, 8760h or 365d',
  inMilliseconds,
)
const part = matching(
  /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/,
  'must be a part, such as 10%',
  (value) => Number.parseFloat(value) / 100,
)
const moment = matching(
  /^\d{4}-\d\d-\d\dT.*Z$/,
  'must be an instant such as 2026-01-05T00:00:00Z',
  (value) => {
    const at = Date.parse(value)
    return Number.isNaN(at) ? undefined : instant(at)
  },
)
/** A name, as it is printed. */
const line = matching(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'must be a line of printable text', (text) => text)
const endOfYears = Date.UTC(10_000, 0)
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

const span = { at: duration, for: duration }
const wave = { at: duration, over: or(duration, 0), part: or(part, 1) }

const policy = fields({
  name: line,
  kind: or(oneOf('machine', 'client-go'), 'machine'),
  rotate: or(yesOrNo, true),
  renewFrom: or(part, defaultPolicy.renewFrom),
  renewTo: or(part, defaultPolicy.renewTo),
  probeInterval: or(duration, defaultPolicy.probeInterval),
  submitInterval: or(duration, defaultPolicy.submitInterval),
  longestDelay: or(duration, defaultPolicy.longestDelay),
})

const document = fields({
  title: line,
  seed: or(whole(0, 2 ** 31), 1),
  // A Monday.
  start: or(moment, instant(Date.UTC(2026, 0, 5))),
  duration,
  nodes: fields({
    count: whole(1, 100_000_000),
    joinOver: or(duration, 0),
    autoscaling: or(fields({ lowest: part, every: duration }), undefined),
    clockSkew: or(duration, 0),
    restarts: list(fields(wave)),
    suspensions: list(fields({ ...wave, for: duration })),
  }),
  bootstrapTokensFor: or(duration, endOfTime),
  signer: fields({
    duration: or(duration, 8_760 * hour),
    backdating: or(duration, 5 * minute),
    kubernetes: or(oneOf('1.20', '1.22'), '1.22'),
    authorityFor: or(duration, endOfTime),
    perSecond: or(whole(1, 1_000_000), 20),
  }),
  approval: fields({
    delay: or(duration, 0),
    distribution: or(oneOf('constant', 'exponential'), 'constant'),
    hours: or(
      fields({
        from: duration,
        to: duration,
        days: or(some(oneOf(...weekdays), 0), [
          'Monday',
          'Tuesday',
          'Wednesday',
          'Thursday',
          'Friday',
        ] as const),
      }),
      undefined,
    ),
    pauses: list(fields(span)),
    denied: or(part, 0),
    perSecond: or(whole(1, 1_000_000), 10),
  }),
  api: fields({
    requestsPerSecond: or(whole(1, 10_000_000), 400),
    seats: or(whole(1, 10_000), 20),
    queue: or(whole(0, 1_000_000), 1_000),
    latency: or(duration, 10),
    watches: or(whole(1, 10_000_000), 10_000),
    retryAfter: or(duration, second),
  }),
  outages: list(
    fields({
      ...span,
      of: oneOf('api', 'network', 'controller-manager'),
      part: or(part, 1),
      starting: or(duration, 0),
    }),
  ),
  authorities: list(fields({ replacedAt: duration, overlap: or(duration, 0) })),
  policies: list(policy),
})

/** Reads a scenario. On the left every problem there is. */
export const readScenario = (yaml: string): E.Either<ReadonlyArray<Problem>, Scenario> => {
  const read = readDocument(document, yaml)
  if (E.isLeft(read)) return read
  const {
    nodes,
    signer: signing,
    approval,
    policies,
    bootstrapTokensFor,
    authorities,
    outages,
    ...given
  } = read.right
  const { authorityFor, ...signer } = signing
  const { hours } = approval
  const scenario: Scenario = {
    ...given,
    nodes: {
      ...nodes,
      suspensions: nodes.suspensions.map(({ for: lasting, ...struck }) => ({ ...struck, lasting })),
    },
    bootstrapTokensUntil: bootstrapTokensFor,
    signer: { ...signer, authorityEnd: authorityFor },
    approval: {
      ...approval,
      hours:
        hours === undefined
          ? undefined
          : { ...hours, days: hours.days.map((name) => weekdays.indexOf(name)) },
      pauses: approval.pauses.map(({ at, for: lasting }) => ({ at, lasting })),
    },
    outages: outages.map(({ for: lasting, ...outage }) => ({ ...outage, lasting })),
    authorities: authorities
      .map(({ replacedAt, overlap }) => ({ at: replacedAt, overlap }))
      .toSorted((one, other) => one.at - other.at),
    policies:
      policies.length === 0
        ? [{ _tag: 'Machine', name: 'default', policy: defaultPolicy }]
        : policies.map(named),
  }
  const problems = [
    ...problemsOf(scenario),
    // In the order of the file.
    ...late(scenario, 'authorities', authorities, ({ replacedAt }) => replacedAt, 'replacedAt'),
  ]
  return problems.length > 0 ? E.left(problems) : E.right(scenario)
}

const named = ({ name, kind, ...some }: t.TypeOf<typeof policy>): NamedPolicy =>
  kind === 'client-go'
    ? { _tag: 'ClientGo', name }
    : { _tag: 'Machine', name, policy: { ...defaultPolicy, ...some } }

const wrong = (isWrong: boolean, where: string, what: string): ReadonlyArray<Problem> =>
  isWrong ? [{ where, what }] : []

/** What would happen after the end. */
const late = <A>(
  { duration }: Scenario,
  where: string,
  items: ReadonlyArray<A>,
  atOf: (item: A) => Milliseconds,
  field = 'at',
): ReadonlyArray<Problem> =>
  items.flatMap((item, index) =>
    wrong(atOf(item) >= duration, `${where}[${index}].${field}`, 'is after the end'),
  )

/** What lasts no time is a mistake. */
const brief = (
  where: string,
  items: ReadonlyArray<{ readonly lasting: Milliseconds }>,
): ReadonlyArray<Problem> =>
  items.flatMap(({ lasting }, index) => wrong(lasting === 0, `${where}[${index}].for`, 'must be above 0s'))

/** What single fields cannot know. */
const problemsOf = (scenario: Scenario): ReadonlyArray<Problem> => {
  const { start, duration: whole, nodes, signer, approval, policies, outages } = scenario
  const names = policies.map(({ name }) => name)
  const atOf = ({ at }: { readonly at: Milliseconds }) => at
  return [
    ...wrong(whole < minute, 'duration', 'must be a minute at least'),
    ...wrong(start + whole > endOfYears, 'duration', 'must end before the year 10000'),
    ...wrong(signer.duration < second, 'signer.duration', 'must be a second at least'),
    ...wrong(
      (nodes.autoscaling?.every ?? hour) < minute,
      'nodes.autoscaling.every',
      'must be a minute at least',
    ),
    ...wrong((nodes.autoscaling?.lowest ?? 0) >= 1, 'nodes.autoscaling.lowest', 'must be below 100%'),
    ...wrong(
      approval.hours !== undefined && (approval.hours.from >= approval.hours.to || approval.hours.to > day),
      'approval.hours',
      'must begin before they end, on the same day',
    ),
    ...wrong(approval.hours?.days.length === 0, 'approval.hours.days', 'must not be empty'),
    ...late(scenario, 'outages', outages, atOf),
    ...late(scenario, 'approval.pauses', approval.pauses, atOf),
    ...late(scenario, 'nodes.restarts', nodes.restarts, atOf),
    ...late(scenario, 'nodes.suspensions', nodes.suspensions, atOf),
    ...brief('outages', outages),
    ...brief('approval.pauses', approval.pauses),
    ...brief('nodes.suspensions', nodes.suspensions),
    ...policies.flatMap((one, index) => [
      ...wrong(names.indexOf(one.name) !== index, `policies[${index}].name`, 'is there twice'),
      ...(one._tag === 'Machine' ? policyProblems(one.policy) : []).map((what) => ({
        where: `policies[${index}]`,
        what,
      })),
    ]),
  ]
}
