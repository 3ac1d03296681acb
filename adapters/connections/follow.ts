import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import { hour, type Milliseconds, second } from '../../src/model/time.js'
import {
  aFunction,
  being,
  type Checks,
  demand,
  duration,
  hasFunctions,
  record,
  yesOrNo,
} from '../platform/options.js'
import { runAt } from '../platform/timer.js'
import { checkCredential, checkTrust } from './check.js'
import { type Generation, newGeneration, type OwnedGeneration } from './generation.js'
import { isLongLived, type RequestLine } from './long-lived.js'
import { type Address, type Route, routeTo } from './route.js'
import { type Count, type Credential, type Problem, type Sources, warnOf } from './source.js'
import { joined, type Outgoing, outgoing } from './trust.js'

export interface FollowOptions {
  /** How long a watch, a WebSocket or another long-lived stream may go on after a change, ms; 30 000 if not given. */
  readonly grace?: Milliseconds
  /** How long an outgoing bundle of CAs is trusted beside its successor, ms; an hour if not given. */
  readonly trustOverlap?: Milliseconds
  /** Which requests are long-lived; if not given, watches and followed logs of Kubernetes. What is upgraded always is. */
  readonly longLived?: (request: RequestLine) => boolean
  /** A server rejected our certificate: 401, 403 for `system:anonymous`, a TLS alert. A rotation hears it unasked. */
  readonly onRejected?: (rejection: Rejection) => void
  /** Whether connections are made without a certificate while the source of it has none; false if not given. */
  readonly anonymous?: boolean
  /**
   * Something new was not applied because it does not parse, match or verify; the last good one serves on. A warning of
   * the process if not given.
   */
  readonly onProblem?: (problem: Problem) => void
}

export interface Rejection {
  /** Of the refused certificate. */
  readonly keyId: string
  /** What the server said, for people. */
  readonly reason: string
}

const fields: Checks<FollowOptions> = {
  grace: duration,
  trustOverlap: duration,
  longLived: aFunction,
  onRejected: aFunction,
  anonymous: yesOrNo,
  onProblem: aFunction,
}

const isSource = (value: unknown): boolean => hasFunctions(value, 'current', 'subscribe')

/** A rotation has much more; and one of the two is enough. */
const followable = being(
  'a running rotation, what fromFiles answers, or an object with credentials or trust',
  (value) => {
    if (typeof value !== 'object' || value === null) return false
    const [credentials, trust]: ReadonlyArray<unknown> = ['credentials', 'trust'].map((name) =>
      Reflect.get(value, name),
    )
    return (
      [credentials, trust].some(isSource) &&
      [credentials, trust].every((one) => one === undefined || isSource(one))
    )
  },
  'write follow(rotation), or follow(fromFiles({ … }))',
)

/** So many earlier generations are kept without a connection: a handshake of theirs may be under way. */
const remembered = 8

/** TLS that is always current. What adapters to HTTP stacks take. */
export interface Following {
  /** What a handshake that begins now is made with. */
  readonly current: IO<Generation>
  /** Calls the listener after each change, once the connections before it have been retired. */
  readonly subscribe: (listener: (generation: Generation) => void) => IO<void>
  /** The current certificate first; earlier ones as long as a connection carries them. */
  readonly connectionCounts: IO<ReadonlyArray<Count>>
  readonly longLived: (request: RequestLine) => boolean
  /** How to get to an address, where that is more than its URL says: now, since kubeconfigs change. */
  readonly routeTo: (address: Address) => Route | undefined
  /** Follows no more. Connections go on with what they have. */
  readonly close: IO<void>
}

/**
 * Follows a credential and a bundle of trusted CAs. Each new TLS handshake uses what is current at that moment, and no
 * TLS session is resumed: a resumed one would keep the certificate of its first handshake. On a change, idle
 * connections are closed at once, busy ones when their requests are done, long-lived ones after the grace period, and
 * all of them before the old certificate expires. Throws for what is no such source, and for options that are not these.
 */
export const follow = (sources: Sources, options: FollowOptions = {}): Following => {
  demand('follow', record(fields), options)
  demand('follow', followable, sources, 'what it follows')
  const { grace = 30 * second, trustOverlap = hour, longLived = isLongLived } = options
  const {
    anonymous = sources.anonymous === true,
    onRejected = sources.reportRejected,
    onProblem = warnOf,
  } = options
  const listeners = new Set<(generation: Generation) => void>()
  const create = (credential: O.Option<Credential>, trust: O.Option<string>) =>
    newGeneration(
      credential,
      trust,
      (keyId, reason) => onRejected?.({ keyId, reason }),
      () => {
        if (O.isSome(trust) && trust.value === '') return noAuthority(sources.trustProblem?.() ?? O.none)
        return anonymous || sources.credentials === undefined || O.isSome(credential)
          ? undefined
          : noCertificate(sources.problem?.() ?? O.none)
      },
    )

  let credential: O.Option<Credential> = O.none
  let trust: O.Option<string> = O.none
  let earlierTrust: Outgoing = []
  let cancelWake = () => {}
  let earlier: ReadonlyArray<OwnedGeneration> = []

  /** Takes in what is good of what the sources have; the rest is told, and stays as it was. */
  const refresh = () => {
    const now = Date.now()
    const offered = sources.credentials?.current() ?? O.none
    const early = O.isSome(offered) && O.isSome(credential) && isEarly(offered.value, credential.value, now)
    if (!early) credential = acceptable(offered, credential, now)
    const before = trust
    trust = acceptableTrust(sources.trust?.current() ?? O.none, trust)
    earlierTrust = outgoing(earlierTrust, before, trust, now, trustOverlap)
    cancelWake()
    cancelWake = runAt(
      Math.min(
        early ? offered.value.certificate.notBefore : Number.POSITIVE_INFINITY,
        ...earlierTrust.map(({ until }) => until),
      ),
      update,
    )
  }

  const acceptable = (offered: O.Option<Credential>, held: O.Option<Credential>, now: number) => {
    if (O.isNone(offered) || samePem(offered, held)) return offered
    const checked = checkCredential(offered.value, now)
    if (E.isLeft(checked)) onProblem(checked.left)
    return E.isLeft(checked) ? held : offered
  }

  const acceptableTrust = (offered: O.Option<string>, held: O.Option<string>) => {
    if (O.isNone(offered) || offered.value === '' || O.toUndefined(held) === offered.value) return offered
    const checked = checkTrust(offered.value)
    if (E.isRight(checked)) return offered
    onProblem(checked.left)
    // Nobody rather than everybody that Node trusts by itself.
    return O.isSome(held) ? held : O.some('')
  }

  const update = () => {
    refresh()
    const trusted = joined(trust, earlierTrust)
    const before = generation
    if (samePem(credential, before.credential) && O.toUndefined(trusted) === O.toUndefined(before.trust))
      return
    generation = create(credential, trusted)
    earlier = [...earlier, before]
    before.supersede(grace)
    earlier = earlier.filter(
      ({ connections }, index) => connections() > 0 || index >= earlier.length - remembered,
    )
    for (const listener of [...listeners]) listener(generation)
  }

  refresh()
  let generation = create(credential, joined(trust, earlierTrust))
  const connectionCounts = () => [
    countOf(true)(generation),
    ...earlier.filter(({ connections }) => connections() > 0).map(countOf(false)),
  ]
  const unsubscribe = [
    sources.credentials?.subscribe(update),
    sources.trust?.subscribe(update),
    // It is looked at for each connection; following it is what keeps it up to date.
    sources.route?.subscribe(() => {}),
    sources.followed?.(connectionCounts),
  ]

  return {
    current: () => generation,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    connectionCounts,
    longLived,
    routeTo: (address) => routeTo(sources.route?.current() ?? O.none, address),
    close: () => {
      cancelWake()
      for (const end of unsubscribe) end?.()
    },
  }
}

/** Not valid yet, when what we have is: its time will come. */
const isEarly = (offered: Credential, held: Credential, now: number): boolean =>
  now < offered.certificate.notBefore && now >= held.certificate.notBefore && now < held.certificate.notAfter

/** The error of a request that would have gone out as nobody. */
const noCertificate = (problem: O.Option<Problem>): Error => {
  const [why, cure] = O.isSome(problem)
    ? [`: ${problem.value.message}`, problem.value.remedy]
    : ['', 'wait until there is one']
  return Object.assign(
    new Error(
      `there is no certificate to connect with${why}; ${cure}, or allow connections without one: follow(…, { anonymous: true })`,
    ),
    { code: 'NoCredential' },
  )
}

/** The error of a request whose server nobody could verify. */
const noAuthority = (problem: O.Option<Problem>): Error => {
  const [why, cure] = O.isSome(problem)
    ? [`: ${problem.value.message}`, problem.value.remedy]
    : ['', 'give follow() PEM CERTIFICATE blocks in trust']
  return Object.assign(new Error(`there is no CA to verify the server with${why}; ${cure}`), {
    code: 'NoAuthority',
  })
}

const samePem = (one: O.Option<Credential>, other: O.Option<Credential>): boolean =>
  O.toUndefined(one)?.pem === O.toUndefined(other)?.pem

const countOf =
  (current: boolean) =>
  ({ credential, connections }: OwnedGeneration): Count => ({
    certificate: O.map(({ certificate }: Credential) => certificate)(credential),
    current,
    connections: connections(),
  })
