import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { inWords, second } from '../../src/model/time.js'
import { type ApiCall, type ControlPlane, startControlPlane } from '../control-plane/index.js'
import {
  type Credential,
  type RunningRotation,
  startRotationTask,
  type Transition,
  wallClock,
} from '../node/index.js'
import { command, complain } from './command.js'
import { eventLine } from './event-line.js'
import { type Flags, readFlags, type UsageError } from './flags.js'
import { abbreviated, summaryOf } from './summary.js'
import { terminalLine } from './terminal-line.js'

const demoFlags = {} satisfies Flags<string>

const readDemo = (args: ReadonlyArray<string>): E.Either<UsageError, undefined> =>
  E.map(() => undefined)(readFlags<never>(demoFlags, args))

const lifetime = 20 * second
const renewals = 2
const nodeName = 'demo-node'

/** Whose line it is. */
type Part = 'plane' | 'api' | 'agent' | 'disk'
type Tell = (part: Part, text: string) => void

/** A control plane and an agent in one process: a certificate is bootstrapped, used, and renewed twice. */
const demo = async (_: undefined, signal: AbortSignal): Promise<number> => {
  const began = performance.now()
  let rotation: RunningRotation | undefined
  const lastLine = () =>
    rotation === undefined ? '' : `   ${summaryOf(rotation.policy, rotation.facts(), wallClock.now())}`
  const screen = terminalLine(process.stdout, lastLine)
  const tell: Tell = (part, text) => {
    const elapsed = ((performance.now() - began) / second).toFixed(2).padStart(6)
    screen.print(`${elapsed}s  ${part.padEnd(5)}  ${abbreviated(text)}`)
  }
  const calls: Array<ApiCall> = []
  const started = await startControlPlane({
    clusterSigningDuration: lifetime,
    onEvent: (event) => {
      if (event._tag === 'Call') calls.push(event)
      tell(event._tag === 'Call' ? 'api' : 'plane', eventLine(event))
    },
  })()
  if (E.isLeft(started)) {
    screen.end()
    complain(started.left.message, started.left.remedy)
    return 1
  }
  const plane = started.right
  const folder = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-demo-'))
  const certDir = join(folder, 'pki')
  const bootstrapKubeconfig = join(folder, 'bootstrap.kubeconfig')
  try {
    screen.print(
      `A control plane and an agent in one process, over TLS on loopback. Certificates are good for ${inWords(lifetime)}\nand renewed after 70 to 90 % of that, so that it can be watched; it takes about half a minute.\n`,
    )
    tell('plane', `API server at ${plane.url}`)
    tell('agent', `node ${nodeName}, certificate directory ${certDir}`)
    await writeFile(bootstrapKubeconfig, plane.bootstrapKubeconfig(), { mode: 0o600 })
    const agent = await startRotationTask({
      nodeName,
      certDir,
      bootstrapKubeconfig,
      kubeconfig: join(folder, 'kubeconfig'),
      signal,
      onTransition: (transition) => {
        if (transition.to === 'RenewDue') screen.print('')
        tell('agent', transitionInWords(transition))
      },
      onWarning: (message) => tell('agent', `warning: ${message}`),
    })()
    if (E.isLeft(agent)) {
      complain(agent.left.message, agent.left.remedy)
      return 1
    }
    rotation = agent.right
    const used = await useEach(rotation, plane, certDir, tell)
    await rotation.stop()
    screen.print(summary(used, calls))
    return used.length > renewals || signal.aborted ? 0 : 1
  } finally {
    await rotation?.stop()
    screen.end()
    await plane.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const transitionInWords = ({ from, to, message }: Transition): string =>
  `${(from === to ? to : `${from} → ${to}`).padEnd(23)}  ${message}`

/** Uses each certificate as soon as it is stored, until there were enough. */
const useEach = async (
  rotation: RunningRotation,
  plane: ControlPlane,
  certDir: string,
  tell: Tell,
): Promise<ReadonlyArray<Credential>> => {
  const used: Array<Credential> = []
  const current = join(certDir, 'kubelet-client-current.pem')
  for await (const { reason } of rotation.transitions()) {
    const credential = rotation.current()
    if (reason !== 'Installed' || credential === undefined) continue
    const pairs = (await readdir(certDir)).filter((name) => /-\d{4}-.*\.pem$/.test(name))
    tell('disk', `${basename(current)} → ${basename(await readlink(current))}, pairs kept: ${pairs.length}`)
    await whoami(plane, credential)
    used.push(credential)
    if (used.length > renewals) break
  }
  return used
}

/** What was to be seen. */
const summary = (used: ReadonlyArray<Credential>, calls: ReadonlyArray<ApiCall>): string => {
  const keys = new Set(used.map(({ keyId }) => keyId)).size
  const own = calls.filter(({ path }) => path.endsWith('/selfsubjectreviews'))
  const seen = used.filter(({ serialNumber }, index) => {
    const certificate = own[index]?.certificateSerialNumber ?? O.none
    return O.isSome(certificate) && certificate.value === serialNumber
  }).length
  const requests = calls.length - own.length
  return `
Seen: ${used.length} certificates, ${keys} private keys; ${requests} API requests to get them (create and watch, each);
the first call after each swap came with the new certificate: ${seen} of ${used.length}. Nothing is left on disk.

Now each on its own: kube-cert-rotation control-plane --help, kube-cert-rotation run --help`
}

/** What the agent of the demo uses its certificate for: it asks the API who it is, on a new connection. */
const whoami = (plane: ControlPlane, credential: Credential): Promise<void> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', headers, agent: false, ca: plane.authority(), ...credential.tls() }
    request(`${plane.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, options, (response) => {
      response.resume().on('end', resolve)
    })
      .on('error', reject)
      .end(body)
  })

export const demoCommand = command(demoFlags, readDemo, demo)
