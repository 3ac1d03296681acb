import * as E from 'fp-ts/lib/Either.js'
import { printEvent } from '../../src/describe/print.js'
import type { Transition } from '../../src/describe/transition.js'
import { type Failure, failure, type StoreError } from '../../src/model/failure.js'
import { inWords, type Milliseconds } from '../../src/model/time.js'
import type { Fleet, RunningRotation, StartError } from '../node/index.js'
import { hooksFrom } from './hooks.js'
import type { Level } from './output.js'
import { outputsFrom } from './outputs.js'
import type { CertificateRequest } from './run-request.js'
import { watchedOutputs } from './watched-outputs.js'

/** Where it is said what becomes of a certificate. */
export interface Voice {
  readonly say: (level: Level, message: string) => void
  readonly told: (transition: Transition) => void
  /** Another process asked for it. */
  readonly reload: () => void
}

export interface Started {
  readonly rotation: RunningRotation
  /** Waits until there is a certificate and each output was tried with it; on the left what failed. */
  readonly inPlace: () => Promise<E.Either<Failure<string>, void>>
  /** What was not there within a time, ms: a sentence for people. */
  readonly lateness: (limit: Milliseconds) => string
  /** When all is written that is to be said of it. */
  readonly ended: Promise<E.Either<StoreError, void>>
}

/** Starts a rotation with all that belongs to it: outputs, hooks, the event log, which begins anew with each start. */
export const startCertificate = async (
  fleet: Fleet,
  { options, outputs, hooks, eventLog: path }: CertificateRequest,
  { say, told, reload }: Voice,
  signal: AbortSignal,
): Promise<E.Either<StartError, Started>> => {
  const warn = (message: string) => say('warn', message)
  const openEventLog = async (file: string) => {
    const { policyOf } = await import('../node/options.js')
    return (await import('./event-log.js')).eventLog({ path: file, policy: policyOf(options), warn })
  }
  const events = path === undefined ? undefined : await openEventLog(path)
  const watched = watchedOutputs(await outputsFrom(outputs))
  const started = await fleet.startTask({
    ...options,
    outputs: watched.outputs,
    hooks: await hooksFrom(hooks, (line) => say('info', line)),
    signal,
    onAsked: ({ what, reason }) => {
      say('info', `${what}, asked for over the socket of the directory: ${reason}`)
      if (what === 'reload') reload()
    },
    onStep: (step) => {
      events?.write(step)
      if (step.event !== undefined) say('debug', `event ${printEvent(step.event)}`)
    },
    onTransition: told,
    onWarning: warn,
  })()
  if (E.isLeft(started)) {
    await events?.close()
    return started
  }
  const rotation = started.right
  const end = async () => {
    const outcome = await rotation.endedTask()
    await events?.close()
    return outcome
  }
  const ended = end()
  const inUse = () => rotation.current()?.certificate
  let isIssued = false
  const inPlace = async (): Promise<E.Either<Failure<string>, void>> => {
    const issued = await rotation.issuedTask()
    if (E.isLeft(issued)) return issued
    isIssued = true
    return Promise.race([watched.tried(inUse), ended.then(() => E.left(notTried))])
  }
  const lateness = (limit: Milliseconds) =>
    isIssued
      ? `not written within ${inWords(limit)}: ${watched.untried(inUse()).join(', ')}`
      : `no certificate within ${inWords(limit)}: ${rotation.explain()}`
  return E.right({ rotation, inPlace, lateness, ended })
}

const notTried = failure(
  'Stopped',
  'later',
  'it was stopped before each output was written',
  'start it again, with more time',
)
