/** A rotation at work: the machine, the real adapters where none are given, and the driver. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { explain } from '../../src/describe/explain.js'
import { type Transition, transitionOf } from '../../src/describe/transition.js'
import type { Driver, Notice } from '../../src/driver/rotation.js'
import { isUsable } from '../../src/machine/due.js'
import { measure } from '../../src/metrics/metrics.js'
import { failure } from '../../src/model/failure.js'
import type { RotationPolicy } from '../../src/model/policy.js'
import { type CertificateTemplate, missingFrom } from '../../src/model/template.js'
import type { TlsCredential } from '../../src/ports.js'
import { interruption } from '../../src/signal.js'
import { ok, steps } from '../../src/steps.js'
import { checkKeyAlgorithm } from '../crypto/index.js'
import type { Access, Cluster, KubeconfigError } from '../kubernetes/index.js'
import { resultOf, run as runTask } from '../platform/promise.js'
import { publish } from './channels.js'
import { type Credential, credentialFrom } from './credential.js'
import { hooksOf } from './hooks.js'
import { connectionsOf, noteFollower, noteStep, noteTransition, nothingObserved } from './observed.js'
import { type OpenedPorts, openPorts, type Shared, type StartError } from './open.js'
import {
  type InvalidOptions,
  invalid,
  policyFrom,
  prefixOf,
  type RotationOptions,
  templateFrom,
  warnWith,
} from './options.js'
import { keepOutputs } from './outputs.js'
import { type Desk, desk } from './questions.js'
import type { RunningRotation, Stopped } from './running-rotation.js'
import { steering } from './steering.js'
import { broadcast } from './stream.js'
import { wantedBy } from './wanted.js'

export type { StartError } from './open.js'
export type { RunningRotation, Stopped } from './running-rotation.js'

/** Opens what the options name, and starts the rotation on what it shares with others. */
export const startOn =
  (driver: Driver, shared: Shared) =>
  (options: RotationOptions): TaskEither<StartError, RunningRotation> =>
    steps(async function* () {
      const template = yield* ok(templateFrom(options))
      const policy = yield* ok(policyFrom(options))
      yield* ok(keyCanBeMade(options, template))
      const questions = desk()
      const warn = warnWith(options)
      const opened = yield* ok(openPorts(options, policy, shared, questions.answer, warn))
      try {
        return running(driver, options, policy, template, opened, questions, warn)
      } catch (thrown) {
        // A port of the embedder's that throws, which it should not, leaves nothing locked.
        await opened.close()
        throw thrown
      }
    })

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

/** How long `stop` waits for what does not end, ms. The directory stays locked until it does. */
const longestStop = 10_000

const running = (
  driver: Driver,
  options: RotationOptions,
  policy: RotationPolicy,
  template: O.Option<CertificateTemplate>,
  { ports, replace, cluster, watched, read, close }: OpenedPorts,
  questions: Desk,
  warn: (message: string) => void,
): RunningRotation => {
  const { clock } = ports
  const wanted = wantedBy(options, template, clock, warn)
  const stopping = interruption()
  const stopToo = () => stopping.interrupt()
  const told = broadcast<Transition>()
  const seen = nothingObserved()
  const hooks = hooksOf(options, policy, () => credentials.current(), clock, warn)
  const notify = (notice: Notice): void => {
    const name = { certDir: options.certDir, certPrefix: prefixOf(options) }
    if (notice._tag === 'Warning') {
      publish('kube-cert-rotation:warning', { rotation: name, message: notice.message })
      warn(notice.message)
      return
    }
    noteStep(seen, notice)
    hooks.noteStep(notice)
    publish('kube-cert-rotation:step', { rotation: name, step: notice })
    options.onStep?.(notice)
    const transition = transitionOf(policy, notice)
    if (transition === undefined) return
    noteTransition(seen, transition)
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
  if (O.isSome(replace)) tell({ _tag: 'RotationRequested', why: replace.value })()

  const current = (): Credential | undefined =>
    pipe(credentials.current(), O.map(credentialFrom), O.toUndefined)
  /** The current one, if it works, is stored, and nobody waits for another. */
  const installed = (): Credential | undefined => {
    const { held } = facts()
    if (O.isSome(wanted.awaited())) return undefined
    const asked = wanted.current()
    if (O.isNone(held) || !isUsable(policy, held.value, clock.now())) return undefined
    const another =
      policy.rotate && O.isSome(asked) && missingFrom(asked.value, held.value.certificate).length > 0
    return another ? undefined : current()
  }
  const stopOutputs = keepOutputs(options.outputs, credentials, cluster, clock, warn, hooks.noteWritten)

  if (options.signal?.aborted === true) stopToo()
  options.signal?.addEventListener('abort', stopToo, { once: true })
  // Also when a port of the embedder's throws, which it should not: nobody is to wait for ever.
  const outcome = run(stopping.signal)().finally(async () => {
    options.signal?.removeEventListener('abort', stopToo)
    await stopOutputs()
    await hooks.stop()
    unfollow()
    await close()
    told.end()
  })
  const ended = outcome.then(resultOf)
  // Nobody has to look at it: `issued` tells the same.
  ended.catch(nothingMore)

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
      return E.isLeft(why) ? why : E.left(stopped)
    }
  }

  const explainNow = () => explain(policy, facts(), clock.now(), wanted.awaited())

  questions.open(() => ({
    ...steering(
      {
        installed,
        listen: told.listen,
        rotate: (reason) => {
          hooks.noteReason(reason)
          tell({ _tag: 'RotationRequested', why: 'requested by the embedder' })()
        },
        explain: explainNow,
        clock,
      },
      options.onAsked,
    ),
    snapshot: () => async () => {
      // Loaded when somebody asks: most rotations are never asked.
      const { printSnapshot, snapshotOf } = await import('../../src/describe/snapshot.js')
      const connections = O.fromNullable(connectionsOf(seen))
      const known = { policy, facts: facts() }
      const awaited = wanted.awaited()
      return E.right(
        printSnapshot(snapshotOf(known, clock.now(), { recent: seen.recent, connections, awaited })),
      )
    },
  }))

  const stopTask: Task<void> = async () => {
    stopToo()
    let late: NodeJS.Timeout | undefined
    const longest = new Promise<void>((resolve) => {
      late = setTimeout(() => {
        warn('it did not end within 10s of being told to: the certificate store, or a port, does not answer')
        resolve()
      }, longestStop)
    })
    await Promise.race([outcome.catch(nothingMore), longest])
    clearTimeout(late)
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
      current: () => authorityOf(watched.current()),
      subscribe: (listener) => watched.subscribe((found) => listener(authorityOf(found))),
    },
    route: watched,
    server: () => O.toUndefined(cluster.current())?.server,
    cluster: read,
    access: async () => E.chain((found: Cluster) => accessTo(found, credentials.current()))(await read()),
    policy,
    metrics: () => {
      const connections = connectionsOf(seen)
      const hooked = hooks.counts()
      return {
        ...measure(policy, facts(), seen.tally, clock.now()),
        ...(connections === undefined ? {} : { connections }),
        ...(hooked === undefined ? {} : { hooks: hooked }),
      }
    },
    followed: (counts) => noteFollower(seen, counts),
    stopTask,
    stop: stopTask,
    endedTask: () => outcome,
    ended,
  }
}

const nothingMore = () => {}

const authorityOf = O.chain(({ certificateAuthority }: Cluster) => certificateAuthority)

const accessTo = (cluster: Cluster, credential: O.Option<TlsCredential>): E.Either<KubeconfigError, Access> =>
  pipe(
    credential,
    E.fromOption(() => noCertificate),
    E.map(({ pem, key }) => ({
      cluster,
      credential: { token: O.none, clientCertificate: O.some({ pem, key }), expiresAt: O.none },
    })),
  )

const noCertificate: KubeconfigError = failure(
  'NoCredential',
  'soon',
  'the rotation has no certificate to authenticate with',
  'see what it waits for',
)

const stopped: Stopped = failure(
  'Stopped',
  'later',
  'the rotation was stopped before a certificate was issued',
  'start it again',
)
