/** A rotation at work: the machine, the real adapters where none are given, and the driver. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { explain } from '../../src/describe/explain.js'
import { type Transition, transitionOf } from '../../src/describe/transition.js'
import type { Driver, Notice, Rotation } from '../../src/driver/rotation.js'
import { isUsable } from '../../src/machine/due.js'
import type { Facts } from '../../src/machine/facts.js'
import type { State } from '../../src/machine/state.js'
import { type Metrics, measure } from '../../src/metrics/metrics.js'
import { type Failure, failure, type StoreError } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { type CertificateTemplate, missingFrom } from '../../src/model/template.js'
import { interruption } from '../../src/signal.js'
import type { Source, Sources } from '../connections/source.js'
import { checkKeyAlgorithm } from '../crypto/index.js'
import type { Access, Cluster, KubeconfigError } from '../kubernetes/index.js'
import { keepOutput } from '../outputs/index.js'
import { run as runTask } from '../platform/promise.js'
import { publish } from './channels.js'
import { type Credential, credentialFrom } from './credential.js'
import { hooksOf } from './hooks.js'
import { observed } from './observed.js'
import { type OpenedPorts, openPorts, type Shared, type StartError } from './open.js'
import {
  type InvalidOptions,
  invalid,
  knownOptions,
  policyFrom,
  prefixOf,
  type RotationOptions,
  templateFrom,
  warnWith,
} from './options.js'
import { type Desk, desk } from './questions.js'
import { steering } from './steering.js'
import { broadcast } from './stream.js'
import { wantedBy } from './wanted.js'

export type { StartError } from './open.js'

const authorityOf = O.chain(({ certificateAuthority }: Cluster) => certificateAuthority)

/** A rotation at work. */
export interface RunningRotation {
  /** The certificate to use now; undefined while there is none that has not expired. */
  readonly current: () => Credential | undefined
  /**
   * The certificate in use, as soon as one works, is stored, and is what is wanted (one for another name is not, unless
   * rotation is switched off and it stays); `Stopped` when the rotation ends before.
   */
  readonly issuedTask: TaskEither<StoreError | Stopped, Credential>
  /** The same as a promise; it rejects with an `Error` that has a `code`. */
  readonly issued: () => Promise<Credential>
  /** What happens from now on; ends with the rotation. */
  readonly transitions: () => AsyncIterableIterator<Transition>
  readonly state: () => State
  /** Everything that is known: what the state and the next action follow from. */
  readonly facts: () => Facts
  /** What it is doing, why, and what comes next: a few sentences for people. */
  readonly explain: () => string
  /** Wants another certificate from now on, or none until told. */
  readonly setTemplate: (template: CertificateTemplate | undefined) => void
  /** Renews now, although there is no need; `trustChanged`: because the cluster's CA did. */
  readonly rotateNow: (why?: 'requested' | 'trustChanged') => void
  /** Tells that a server rejected this credential: 401, 403 for system:anonymous, or a TLS alert about it. */
  readonly reportRejected: (rejection: {
    readonly keyId: string
    /** What the server said, for people. */
    readonly reason?: string
  }) => void
  /** The credential and its changes, for what follows it: `follow(rotation)`. */
  readonly credentials: Rotation['credentials']
  /** The cluster's CAs, PEM, as the kubeconfig said when it was last read. */
  readonly trust: Source<O.Option<string>>
  /** `https://host:port` of the API server, as the kubeconfig says; undefined where none is named. */
  readonly server: () => string | undefined
  /** The API server as the kubeconfig says now. */
  readonly cluster: TaskEither<KubeconfigError, Cluster>
  /** The API server and the certificate in use, for requests with it; an error while there is none. */
  readonly access: TaskEither<KubeconfigError, Access>
  readonly policy: RotationPolicy
  /** What can be measured of it: counters since it was started, and how things stand now. */
  readonly metrics: () => Metrics
  /** Hears of what follows it, so that its connections are counted: `follow(rotation)` says so. */
  readonly followed: NonNullable<Sources['followed']>
  /** Ends it, and waits for its end; the certificate and a request under way stay on disk. */
  readonly stopTask: Task<void>
  /** The same as a promise; it never rejects. */
  readonly stop: () => Promise<void>
  /** Why the rotation ended; only a store that cannot be read makes it end by itself. */
  readonly endedTask: TaskEither<StoreError, void>
  /** The same as a promise; it rejects with an `Error` that has a `code`. */
  readonly ended: Promise<void>
}

export type Stopped = Failure<'Stopped'>

/** Opens what the options name, and starts the rotation on what it shares with others. */
export const startOn =
  (driver: Driver, shared: Shared) =>
  (options: RotationOptions): TaskEither<StartError, RunningRotation> =>
    pipe(
      TE.Do,
      TE.chainFirst(() => TE.fromEither(knownOptions(options))),
      TE.bind('template', () => TE.fromEither(templateFrom(options))),
      TE.bind('policy', () => TE.fromEither(policyFrom(options))),
      TE.chainFirstW(({ template }) => keyCanBeMade(options, template)),
      TE.let('questions', desk),
      TE.bindW('opened', ({ policy, questions }) => openPorts(options, policy, shared, questions.answer)),
      TE.map(({ template, policy, opened, questions }) =>
        running(driver, options, policy, template, opened, questions),
      ),
    )

/** Whether OpenSSL has keys of the kind: told at the start, and not at each attempt. */
const keyCanBeMade = (
  { ports, keyAlgorithm, addresses }: RotationOptions,
  template: O.Option<CertificateTemplate>,
): TaskEither<InvalidOptions, void> => {
  const algorithm = O.isSome(template) ? template.value.keyAlgorithm : keyAlgorithm
  const flag = addresses === undefined ? '--key-algorithm' : '--server-key-algorithm'
  if (algorithm === undefined || ports?.crypto !== undefined) return TE.right(undefined)
  return pipe(
    checkKeyAlgorithm(algorithm),
    TE.mapLeft(({ message, remedy }) => invalid(`keyAlgorithm (${flag}): ${message}`, remedy)),
  )
}

const noCertificate: KubeconfigError = failure(
  'NoCredential',
  'soon',
  'the rotation has no certificate to authenticate with',
  'see what it waits for',
)

const running = (
  driver: Driver,
  options: RotationOptions,
  policy: RotationPolicy,
  template: O.Option<CertificateTemplate>,
  { ports, replace, cluster, read, close }: OpenedPorts,
  questions: Desk,
): RunningRotation => {
  const wanted = wantedBy(options, template, ports.clock, warnWith(options))
  const stopping = interruption()
  const stopToo = () => stopping.interrupt()
  const told = broadcast<Transition>()
  const { certDir } = options
  const name = { certDir, certPrefix: prefixOf(options) }
  const seen = observed()
  const warn = warnWith(options)
  const hooks = hooksOf(options, policy, () => credentials.current(), ports.clock, warn)
  const notify = (notice: Notice): void => {
    if (notice._tag === 'Warning') {
      publish('kube-cert-rotation:warning', { rotation: name, message: notice.message })
      warn(notice.message)
      return
    }
    seen.noteStep(notice)
    hooks.noteStep(notice)
    publish('kube-cert-rotation:step', { rotation: name, step: notice })
    options.onStep?.(notice)
    const transition = transitionOf(policy, notice)
    if (transition === undefined) return
    seen.noteTransition(transition)
    publish('kube-cert-rotation:transition', { rotation: name, transition })
    told.send(transition)
    options.onTransition?.(transition)
  }
  const { run, state, facts, credentials, tell } = driver.rotation({
    policy,
    template: wanted.current(),
    ports,
    notify,
  })
  const want = () => tell({ _tag: 'TemplateChanged', template: wanted.current() })()
  const unfollow = wanted.follow(want)
  const access = pipe(
    read,
    TE.chain((server) =>
      pipe(
        credentials.current(),
        O.match(
          () => TE.left(noCertificate),
          ({ pem, key }) =>
            TE.right({
              cluster: server,
              credential: { token: O.none, clientCertificate: O.some({ pem, key }), expiresAt: O.none },
            }),
        ),
      ),
    ),
  )
  if (O.isSome(replace)) tell({ _tag: 'RotationRequested', why: replace.value })()

  const current = (): Credential | undefined =>
    pipe(credentials.current(), O.map(credentialFrom), O.toUndefined)
  const content = () =>
    pipe(
      credentials.current(),
      O.map((credential) => ({ credential, cluster: cluster.current() })),
    )
  /** The current one, if it works, is stored, and nobody waits for another. */
  const installed = (): Credential | undefined => {
    const { held } = facts()
    if (wanted.awaited() !== '') return undefined
    const asked = wanted.current()
    if (O.isNone(held) || !isUsable(policy, held.value, ports.clock.now())) return undefined
    const another =
      policy.rotate && O.isSome(asked) && missingFrom(asked.value, held.value.certificate).length > 0
    return another ? undefined : current()
  }

  const outputs = (options.outputs ?? []).map((output) =>
    keepOutput(output, content, ports.clock, warn, hooks.noteWritten(output)),
  )
  const updateOutputs = () => {
    for (const { update } of outputs) update()
  }
  credentials.subscribe(updateOutputs)
  cluster.subscribe(updateOutputs)

  if (options.signal?.aborted === true) stopToo()
  options.signal?.addEventListener('abort', stopToo, { once: true })
  const outcome = (async () => {
    try {
      return await run(stopping.signal)()
    } finally {
      // Also when a port of the embedder's throws, which it should not: nobody is to wait for ever.
      options.signal?.removeEventListener('abort', stopToo)
      await Promise.all(outputs.map(({ stop }) => stop()))
      await hooks.stop()
      unfollow()
      await close()
      told.end()
    }
  })()
  const endedTask = () => outcome
  const ended = runTask(endedTask)
  // Nobody has to look at it: `issued` tells the same.
  ended.catch(() => {})

  const issuedTask: RunningRotation['issuedTask'] = async () => {
    const transitions = told.listen()
    for (let found = installed(); ; found = installed()) {
      if (found !== undefined) {
        await transitions.return?.()
        return E.right(found)
      }
      const next = await transitions.next()
      if (next.done !== true) continue
      const why = await outcome
      return E.isLeft(why)
        ? why
        : E.left(
            failure(
              'Stopped',
              'later',
              'the rotation was stopped before a certificate was issued',
              'start it again',
            ),
          )
    }
  }

  const metrics = (): Metrics => {
    const connections = seen.connections()
    const hooked = hooks.counts()
    return {
      ...measure(policy, facts(), seen.tally(), ports.clock.now()),
      ...(connections === undefined ? {} : { connections }),
      ...(hooked === undefined ? {} : { hooks: hooked }),
    }
  }

  const explainNow = () =>
    [wanted.awaited(), explain(policy, facts(), ports.clock.now())].filter((text) => text !== '').join(' ')

  questions.open({
    ...steering(
      {
        installed,
        listen: told.listen,
        rotate: (reason) => {
          hooks.noteReason(reason)
          tell({ _tag: 'RotationRequested', why: 'requested by the embedder' })()
        },
        explain: explainNow,
        clock: ports.clock,
      },
      options.onAsked,
    ),
    snapshot: () => async () => {
      // Loaded when somebody asks: most rotations are never asked.
      const { printSnapshot, snapshotOf } = await import('../../src/describe/snapshot.js')
      const connections = O.fromNullable(seen.connections())
      const known = { policy, facts: facts() }
      return E.right(
        printSnapshot(snapshotOf(known, ports.clock.now(), { recent: seen.recent(), connections })),
      )
    },
  })

  const stopTask: Task<void> = async () => {
    stopToo()
    await outcome
  }

  return {
    current,
    issuedTask,
    issued: () => runTask(issuedTask),
    transitions: told.listen,
    state,
    facts,
    explain: explainNow,
    setTemplate: (next) => {
      wanted.set(O.fromNullable(next))
      want()
    },
    rotateNow: (why = 'requested') =>
      tell({
        _tag: 'RotationRequested',
        why: why === 'requested' ? 'requested by the embedder' : 'the trust changed',
      })(),
    reportRejected: ({ keyId, reason: why }) =>
      tell({ _tag: 'CredentialRejected', keyId, ...(why === undefined ? {} : { why }) })(),
    credentials,
    trust: {
      current: () => authorityOf(cluster.current()),
      subscribe: (listener) => cluster.subscribe((found) => listener(authorityOf(found))),
    },
    server: () => O.toUndefined(cluster.current())?.server,
    cluster: read,
    access,
    policy,
    metrics,
    followed: seen.followed,
    stopTask,
    stop: stopTask,
    endedTask,
    ended,
  }
}
