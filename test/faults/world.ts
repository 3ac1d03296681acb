import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { stringify } from 'yaml'
import {
  type ControlPlane,
  type ControlPlaneEvent,
  startControlPlane,
} from '../../adapters/control-plane/index.js'
import {
  accessFromKubeconfig,
  certificateSigningRequests,
  clusterFromKubeconfig,
  defaultTimeouts,
  type Timeouts,
} from '../../adapters/kubernetes/index.js'
import { realSleep } from '../../adapters/kubernetes/sleep.js'
import {
  type Credential,
  type RotationOptions,
  type RunningRotation,
  startRotation,
  type TlsOptions,
  type Transition,
} from '../../adapters/node/index.js'
import { eventually, type TestContext, thorough } from '../helper/index.js'
import { type FastClock, fastClock, speed } from './fast-clock.js'

/** Those of the adapter in the thorough run (but for two minutes of silence), short ones otherwise. */
export const timeouts: Timeouts = thorough
  ? { ...defaultTimeouts, silence: 20_000 }
  : { connect: 2_000, head: 3_000, idle: 800, body: 1_600, silence: 1_200 }

/** Cases for the thorough run alone: they take long, or are much like another. */
export const inFull = <A>(...cases: ReadonlyArray<A>): ReadonlyArray<A> => (thorough ? cases : [])

/** How long something may take that waits for a time-out. */
export const patience = { deadline: thorough ? 200_000 : 20_000 }

/** Right, or the test fails with what is wrong. */
export const right = <Failure, A>(outcome: E.Either<Failure, A>): A => {
  if (E.isRight(outcome)) return outcome.right
  throw new Error(`it failed: ${JSON.stringify(outcome.left)}`)
}

/** A control plane whose clock runs fast, and agents of it. */
export interface World {
  readonly clock: FastClock
  readonly controlPlane: ControlPlane
  /** The key of each certificate that an agent of this world had. */
  readonly keyOf: (serialNumber: string) => TlsOptions | undefined
  readonly remember: (credential: Credential) => void
  /** The names of the requests that were issued a certificate; the cleaner removes them within the hour. */
  readonly issued: () => ReadonlyArray<string>
}

export const startWorld = async (
  { defer }: Pick<TestContext, 'defer'>,
  options: Parameters<typeof startControlPlane>[0] = {},
): Promise<World> => {
  const clock = fastClock()
  const issued: Array<string> = []
  const onEvent = (event: ControlPlaneEvent) => {
    if (event._tag === 'Issued') issued.push(event.name)
  }
  const controlPlane = right(await startControlPlane({ now: clock.now, onEvent, ...options })())
  defer(controlPlane.close)
  const keys = new Map<string, TlsOptions>()
  return {
    clock,
    controlPlane,
    issued: () => issued,
    keyOf: (serialNumber) => keys.get(serialNumber),
    remember: (credential) => {
      const tls = credential.tls()
      if (tls !== undefined) keys.set(credential.serialNumber, tls)
    },
  }
}

/** Where an agent finds the API. */
export interface Place {
  readonly server: string
  readonly ca: string
}

/** The text of a bootstrap kubeconfig. */
export const bootstrapKubeconfig = ({ server, ca }: Place, token: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

/** A rotation with the real adapters, on a clock that runs fast, and what it told. */
export interface Agent {
  readonly rotation: RunningRotation
  readonly told: ReadonlyArray<Transition>
  readonly warnings: ReadonlyArray<string>
  /** Waits for the first transition from `from` on for this reason. */
  readonly tells: (reason: string, from?: number) => Promise<Transition>
  /** Writes the bootstrap kubeconfig anew. */
  readonly pointTo: (place: Place) => void
}

export const startAgent = async (
  context: Pick<TestContext, 'defer'>,
  { clock, controlPlane, remember }: World,
  place: Place,
  directory: string,
  nodeName: string,
  more: Partial<RotationOptions> = {},
): Promise<Agent> => {
  const file = join(directory, 'bootstrap.kubeconfig')
  const pointTo = (next: Place) =>
    writeFileSync(file, bootstrapKubeconfig(next, controlPlane.bootstrapToken.reveal()))
  pointTo(place)
  const told: Array<Transition> = []
  const warnings: Array<string> = []
  const requests = certificateSigningRequests({
    cluster: clusterFromKubeconfig(file),
    bootstrap: accessFromKubeconfig(file),
    timeouts,
    // The pauses between polls and watches are counted in the clock's time too.
    sleep: (duration, signal) => realSleep(duration / speed, signal),
    warn: (message) => warnings.push(message),
  })
  const rotation = await startRotation({
    nodeName,
    certDir: join(directory, 'pki'),
    ports: { clock, requests, ...more.ports },
    onTransition: (transition) => {
      told.push(transition)
      const credential = rotation?.current()
      if (credential !== undefined) remember(credential)
    },
    onWarning: (message) => warnings.push(message),
    ...more,
  })
  rotation.credentials.subscribe(() => {
    const credential = rotation.current()
    if (credential !== undefined) remember(credential)
  })
  context.defer(async () => {
    await rotation.stop()
    requests.close()
  })
  return {
    rotation,
    told,
    warnings,
    pointTo,
    tells: (reason, from = 0) =>
      eventually(
        `it tells ${reason} (it told ${told
          .slice(from)
          .map((one) => `${one.reason}: ${one.message}`)
          .join(' | ')})`,
        () => told.slice(from).find((one) => one.reason === reason),
        patience,
      ),
  }
}
