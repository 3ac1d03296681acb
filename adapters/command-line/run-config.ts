/** `run --config FILE`: the certificates of a file in one process. What a changed file says of one disturbs no other. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Failure } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import type { Fleet, RunningRotation } from '../node/index.js'
import type { Signals } from './command.js'
import { type Config, type Configured, complainOf, readConfig, switchedOffIn } from './config-file.js'
import { reloadInterval, timedOut, whereTheApiIs } from './run.js'
import type { CertificateRequest, ConfigRequest } from './run-request.js'
import { type StandIn, standIn } from './stand-in.js'
import { type Started, startCertificate, type Voice } from './start-certificate.js'

/** A certificate that is kept. */
interface Member {
  readonly configured: Configured
  readonly rotation: () => RunningRotation | undefined
  /** Whether there is a certificate, with `once` also where its outputs are; false: it failed, or ended before. */
  readonly issued: Promise<boolean>
  /** What was not there within a time, ms: a sentence; undefined: it is in place, or was never started. */
  readonly lateness: (limit: Milliseconds) => string | undefined
  readonly stop: () => Promise<void>
}

/** Runs until it is told to stop, with `once` until all certificates are there. Answers with the exit code. */
export const runConfig = async (
  { config: file, once, timeout }: ConfigRequest,
  stop: AbortSignal,
  signals: Signals,
): Promise<number> => {
  const first = await readChecked(file)
  if (E.isLeft(first)) {
    complainOf(file, first.left)
    return 2
  }
  const { openFleet } = await import('../node/index.js')
  const fleet = openFleet()
  let current = first.right
  const members = new Map<string, Member>()
  const { openSession } = await import('./session.js')
  const lastLine = () => summaryOf(members)
  const session = openSession({ log: () => current.log, lastLine, timeout, stop })
  const { say, manager, over } = session

  const askers = new Map<string, StandIn>()
  const askerOf = (name: string): StandIn => {
    const asker = askers.get(name) ?? standIn(name)
    askers.set(name, asker)
    return asker
  }
  const begin = (configured: Configured): void => {
    const { name } = configured
    const voice: Voice = {
      say: (level, message) => say(level, message, name),
      told: (transition) => session.tell({ ...transition, certificate: name }),
      reload: () => reload(`reload, asked for over the socket of ${name}`),
    }
    members.set(name, keep(fleet, configured, askerOf, voice, once, over))
  }

  let listening: { readonly close: () => Promise<void> } | undefined
  const listen = async ({ metrics: address }: Config): Promise<void> => {
    await listening?.close()
    listening =
      address === undefined
        ? undefined
        : (await import('./metrics-listener.js')).keepServing({ address, source: fleet, say })
  }

  /** Brings what runs in line with the file. */
  const apply = async (before: Config | undefined, config: Config): Promise<void> => {
    const wanted = new Map(config.certificates.map((one) => [one.name, one]))
    const gone = [...members].filter(
      ([name, { configured }]) => !isDeepStrictEqual(configured, wanted.get(name)),
    )
    await Promise.all(gone.map(([, member]) => member.stop()))
    for (const [name] of gone) members.delete(name)
    const fresh = config.certificates.filter(({ name }) => !members.has(name))
    for (const one of fresh) begin(one)
    if (!isDeepStrictEqual(before?.metrics, config.metrics)) await listen(config)
    if (before === undefined) return
    const names = (which: ReadonlyArray<string>) => (which.length === 0 ? 'none' : which.join(', '))
    const [started, ended] = [fresh.map(({ name }) => name), gone.map(([name]) => name)]
    say(
      'info',
      [
        `${file} was read again`,
        `new: ${names(started.filter((name) => !ended.includes(name)))}`,
        `changed: ${names(started.filter((name) => ended.includes(name)))}`,
        `removed: ${names(ended.filter((name) => !started.includes(name)))}`,
        `unchanged: ${config.certificates.length - fresh.length}`,
      ].join('; '),
    )
  }

  let working: Promise<void> = apply(undefined, current)
  const readAgain = async (): Promise<void> => {
    if (over.aborted) return
    const next = await readChecked(file)
    if (E.isRight(next)) {
      const before = current
      current = next.right
      for (const sentence of switchedOffIn(file, current)) say('warn', sentence)
      await apply(before, current)
    } else for (const problem of next.left) say('error', `${file}: ${problem}; nothing was changed`)
    manager.reloaded()
  }
  const reload = (why: string): void => {
    say('info', `${why}: reads ${file} again`)
    manager.reloading()
    working = working.then(readAgain)
  }
  const allIssued = async (): Promise<boolean> => {
    for (;;) {
      await working
      const now = [...members.values()]
      const outcomes = await Promise.all(now.map(({ issued }) => issued))
      await working
      const same = now.length === members.size && now.every((one) => [...members.values()].includes(one))
      if (same || over.aborted) return outcomes.every((isThere) => isThere)
    }
  }

  say('info', `keeps ${countOf(current.certificates.length)} of ${file}`)
  for (const sentence of switchedOffIn(file, current)) say('warn', sentence)
  signals.on('reload', () => reload('SIGHUP'))
  signals.on('report', () => {
    for (const [name, { rotation }] of members)
      session.reply(`SIGUSR2: ${rotation()?.explain() ?? 'it does not run yet'}`, name)
  })
  const complete = allIssued().then((isComplete) => {
    if (isComplete) manager.ready()
    return isComplete
  })
  const isComplete = once ? await complete : await ended(over).then(() => true)
  if (once && timeout !== undefined && session.isLate())
    for (const [name, { lateness }] of members) {
      const sentence = lateness(timeout)
      if (sentence !== undefined) say('error', sentence, name)
    }
  await working
  await Promise.all([...members.values()].map((member) => member.stop()))
  await listening?.close()
  if (!once) say('info', 'stopped; the certificates and requests under way stay in their directories')
  await session.end()
  if (isComplete) return 0
  return session.isLate() ? timedOut : 1
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The file, if each certificate can be asked for here: it is known where, and OpenSSL has keys of its kind. */
const readChecked = async (file: string): ReturnType<typeof readConfig> => {
  const config = await readConfig(file)
  if (E.isLeft(config)) return config
  const { checkKeyAlgorithm } = await import('../crypto/index.js')
  const problems: Array<string> = []
  for (const { name, asker, request } of config.right.certificates) {
    const { options } = request
    if (asker === undefined && (await whereTheApiIs(options)) === undefined) {
      const { missingAccess } = await import('../node/default-access.js')
      const missing = missingAccess()
      problems.push(
        `certificate ${name} names no kubeconfig${missing === '' ? '' : ` (${missing})`}; give it kubeconfig or bootstrapKubeconfig, or set KUBECONFIG`,
      )
    }
    const algorithm = options.keyAlgorithm ?? options.template?.keyAlgorithm
    const possible = algorithm === undefined ? E.right(undefined) : await checkKeyAlgorithm(algorithm)()
    if (E.isLeft(possible))
      problems.push(`certificate ${name}: keyAlgorithm: ${possible.left.message}; ${possible.left.remedy}`)
  }
  return problems.length > 0 ? E.left(problems) : config
}

/** Keeps a certificate until it is stopped: what cannot be started, or ended by itself, is started again. */
const keep = (
  fleet: Fleet,
  configured: Configured,
  askerOf: (name: string) => StandIn,
  voice: Voice,
  once: boolean,
  over: AbortSignal,
): Member => {
  const stopping = new AbortController()
  const signal = AbortSignal.any([over, stopping.signal])
  const self = askerOf(configured.name)
  let rotation: RunningRotation | undefined
  let lacking: Started['lateness'] | undefined
  let tell = (_: boolean) => {}
  const issued = new Promise<boolean>((resolve) => {
    tell = resolve
  })
  const live = async (): Promise<void> => {
    const request = await requestOf(configured, askerOf)
    while (!signal.aborted) {
      const started = await startCertificate(fleet, request, voice, signal)
      if (E.isRight(started)) {
        const { inPlace, lateness } = started.right
        rotation = started.right.rotation
        lacking = lateness
        self.set(O.some(rotation))
        const whole: Promise<E.Either<Failure<string>, unknown>> = once ? inPlace() : rotation.issuedTask()
        void whole.then((outcome) => {
          if (E.isRight(outcome)) {
            lacking = undefined
            tell(true)
          } else if (outcome.left._tag === 'OutputUnwritable') {
            voice.say('error', `${outcome.left.message}; ${outcome.left.remedy}`)
            tell(false)
          }
        })
      }
      const outcome = E.isRight(started) ? await started.right.ended : started
      self.set(O.none)
      if (signal.aborted) break
      if (E.isLeft(outcome))
        voice.say('error', `${outcome.left.message}; ${outcome.left.remedy}; tried again in 10s`)
      if (once) break
      await sleep(reloadInterval, undefined, { signal }).catch(() => {})
    }
    tell(false)
  }
  const lived = live()
  return {
    configured,
    rotation: () => rotation,
    issued,
    lateness: (limit) => lacking?.(limit),
    stop: () => {
      stopping.abort()
      return lived
    },
  }
}

/** With those that it needs. */
const requestOf = async (
  { request, asker, addresses }: Configured,
  askerOf: (name: string) => StandIn,
): Promise<CertificateRequest> => {
  if (asker === undefined) return request
  const authenticateWith = askerOf(asker)
  const options = { ...request.options, authenticateWith }
  if (addresses === undefined) return { ...request, options }
  const { addressOptions } = await import('./serving-options.js')
  const names = addressOptions(addresses, authenticateWith, options.nodeName ?? '')
  return { ...request, options: { ...options, ...names } }
}

const countOf = (count: number): string => `${count} certificate${count === 1 ? '' : 's'}`

/** How many there are, and in which states. */
const summaryOf = (members: ReadonlyMap<string, Member>): string => {
  const states = new Map<string, number>()
  for (const { rotation } of members.values()) {
    const state = rotation()?.state()._tag ?? 'starting'
    states.set(state, (states.get(state) ?? 0) + 1)
  }
  return [countOf(members.size), ...[...states].map(([state, count]) => `${count} ${state}`)].join(', ')
}
