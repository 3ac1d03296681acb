import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import type { DeclaredNode } from '../../src/control-plane/serving.js'
import { canonicalAddress } from '../../src/model/address.js'
import { dnsNameProblem } from '../../src/model/template-problems.js'
import { hour, inWords } from '../../src/model/time.js'
import { onSignal } from '../../src/signal.js'
import { okSync, stepsSync } from '../../src/steps.js'
import { isNodeName } from '../node/options.js'
import { listed } from './certificate-flags.js'
import { command, complain } from './command.js'
import { parseDuration } from './duration.js'
import { eventLine } from './event-line.js'
import { type Flags, readFlags, readSwitch, type UsageError, usageError } from './flags.js'
import { toTheSecond } from './output.js'

export const controlPlaneFlags = {
  'secure-port': { value: 'PORT', help: 'TCP port on 127.0.0.1 (default 6443; 0: any that is free)' },
  'data-dir': {
    value: 'DIR',
    help: 'where admin.kubeconfig, bootstrap.kubeconfig, ca.crt and the CA are kept',
  },
  'cluster-signing-duration': {
    value: 'DURATION',
    help: 'how long certificates are good for (default 8760h)',
  },
  'experimental-cluster-signing-duration': { value: 'DURATION', help: 'its name before Kubernetes 1.19' },
  nodes: {
    value: 'NODE=ADDRESS,…',
    help: 'approves their serving certificates; nodes are separated by ;',
  },
  'auto-approve': { help: 'false: wait for kubectl certificate approve (default true)' },
} satisfies Flags<string>

export interface ControlPlaneRequest {
  readonly port: number
  readonly dataDir: string
  /** ms */
  readonly clusterSigningDuration: number
  readonly autoApprove: boolean
  readonly nodes: ReadonlyArray<DeclaredNode>
}

export const readControlPlane = (args: ReadonlyArray<string>): E.Either<UsageError, ControlPlaneRequest> =>
  stepsSync(function* () {
    const flags = yield* okSync(readFlags(controlPlaneFlags, args))
    const port = flags['secure-port'] ?? '6443'
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
      yield* wrong(`--secure-port=${port} is no TCP port`, 'write a number from 0 to 65535')
    const dataDir =
      flags['data-dir'] ??
      (yield* wrong('--data-dir is missing', 'name a directory for the kubeconfigs and the CA'))
    const name =
      flags['cluster-signing-duration'] === undefined
        ? ('experimental-cluster-signing-duration' as const)
        : ('cluster-signing-duration' as const)
    const clusterSigningDuration = yield* okSync(signingDuration(name, flags[name]))
    const autoApprove = yield* okSync(readSwitch('auto-approve', flags['auto-approve'], true))
    const nodes = yield* okSync(readNodes(flags.nodes ?? ''))
    return { port: Number(port), dataDir, clusterSigningDuration, autoApprove, nodes }
  })

const wrong = (what: string, cure: string) => okSync(E.left(usageError(what, cure)))

const signingDuration = (name: string, text: string | undefined): E.Either<UsageError, number> => {
  const duration = text === undefined ? E.right(8_760 * hour) : parseDuration(text)
  if (E.isLeft(duration)) return E.left(usageError(`--${name}: ${duration.left}`, 'for instance 24h'))
  return duration.right < 1_000 ? E.left(usageError(`--${name} is too short`, 'write 1s or more')) : duration
}

const isDeclarable = (text: string): boolean => {
  const [address = '', length, ...more] = text.split('/')
  const canonical = O.toUndefined(canonicalAddress(address))
  if (canonical === undefined)
    return length === undefined && dnsNameProblem(text.replace(/^\./, '')) === undefined
  const bits = canonical.includes(':') ? 128 : 32
  return length === undefined || (more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits)
}

/** `worker-1=10.0.0.1,.example.com;worker-2=10.1.0.0/16` */
const readNodes = (text: string): E.Either<UsageError, ReadonlyArray<DeclaredNode>> => {
  const nodes: Array<DeclaredNode> = []
  const parts = text.split(';').filter((one) => one.trim() !== '')
  if (text !== '' && parts.length === 0) return E.left(usageError('--nodes names none', 'leave it out'))
  for (const part of parts) {
    const [name = '', list = '', ...more] = part.split('=').map((one) => one.trim())
    const addresses = listed(list)
    if (nodes.some((node) => node.name === name))
      return E.left(usageError(`--nodes: ${name} is there twice`, 'name all its addresses at once'))
    const strange = addresses.find((address) => !isDeclarable(address))
    if (strange !== undefined && more.length === 0)
      return E.left(
        usageError(
          `--nodes: ${strange} is no address, network, DNS name or domain`,
          'write 10.0.0.1, 10.1.0.0/16, worker-1.example.com or .example.com',
        ),
      )
    if (!isNodeName(name) || addresses.length === 0 || more.length > 0)
      return E.left(
        usageError(
          `--nodes: ${part} cannot be read`,
          'write worker-1=10.0.0.1,.example.com;worker-2=10.1.0.0/16',
        ),
      )
    nodes.push({ name, addresses })
  }
  return E.right(nodes)
}

/** Runs a control plane until the signal is given. Answers with the exit code. */
export const controlPlane = async (request: ControlPlaneRequest, signal: AbortSignal): Promise<number> => {
  // Loaded only now: mistakes in the flags are told at once.
  const { startControlPlane } = await import('../control-plane/index.js')
  const print = (line: string) => process.stdout.write(`${line}\n`)
  const started = await startControlPlane({
    ...request,
    onEvent: (event) => print(`${toTheSecond(event.at)} ${eventLine(event)}`),
  })()
  if (E.isLeft(started)) {
    complain(started.left.message, started.left.remedy)
    return 1
  }
  const { url, close } = started.right
  const { dataDir, clusterSigningDuration, autoApprove } = request
  const [admin, bootstrap, ca] = ['admin.kubeconfig', 'bootstrap.kubeconfig', 'ca.crt'].map((name) =>
    join(dataDir, name),
  )
  print(
    `API server at ${url}, certificates of ${inWords(clusterSigningDuration)}${autoApprove ? '' : ', approved by hand'}; its CA is ${ca}`,
  )
  print(`  kubectl --kubeconfig ${admin} get csr`)
  print(`  kube-cert-rotation run --bootstrap-kubeconfig ${bootstrap} --cert-dir DIR`)
  await new Promise<void>((resolve) => onSignal(signal, resolve))
  await close()
  print('stopped')
  return 0
}

export const controlPlaneCommand = command(controlPlaneFlags, readControlPlane, controlPlane)
