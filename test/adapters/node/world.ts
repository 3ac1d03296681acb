/** A control plane and a directory of its own for each test of the front door. */
import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type {
  ApiCall,
  ControlPlane,
  ControlPlaneEvent,
  ControlPlaneOptions,
} from '../../../adapters/control-plane/index.js'
import {
  type Credential,
  type RotationOptions,
  type RunningRotation,
  startRotation,
  type Transition,
} from '../../../adapters/node/index.js'
import { eventually, type TestContext } from '../../helper/index.js'
import { admin, requestsPath, started } from '../control-plane/client.js'

export interface World {
  readonly plane: ControlPlane
  /** What the control plane has told so far; it grows. */
  readonly events: ReadonlyArray<ControlPlaneEvent>
  readonly calls: () => ReadonlyArray<ApiCall>
  readonly folder: string
  readonly bootstrapKubeconfig: string
  readonly certDir: string
  /** Decides about a request as `kubectl certificate approve` and `deny` do. */
  readonly decide: (name: string, type: 'Approved' | 'Denied', reason?: string) => Promise<void>
  /** The names of the requests at the API. */
  readonly names: () => ReadonlyArray<string>
}

export const world = async (context: TestContext, options: ControlPlaneOptions = {}): Promise<World> => {
  const events: Array<ControlPlaneEvent> = []
  const plane = await started(context, { ...options, onEvent: (event) => events.push(event) })
  const folder = await context.temporaryDirectory()
  const bootstrapKubeconfig = join(folder, 'bootstrap.kubeconfig')
  await writeFile(bootstrapKubeconfig, plane.bootstrapKubeconfig(), { mode: 0o600 })
  const operator = admin(context, plane)
  return {
    plane,
    events,
    calls: () => events.filter((event) => event._tag === 'Call'),
    folder,
    bootstrapKubeconfig,
    certDir: join(folder, 'pki'),
    names: () => plane.requests().map(({ metadata }) => metadata.name),
    decide: async (name, type, reason = 'ByHand') => {
      const path = `${requestsPath}/${name}/approval`
      const condition = { type, status: 'True', reason, message: `${type} by hand` }
      const { code, text } = await operator.call('PUT', path, {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        status: { conditions: [condition] },
      })
      if (code !== 200) throw new Error(text)
    },
  }
}

/** A rotation in that world that ends with the test. */
export const rotating = async (
  { defer }: TestContext,
  { bootstrapKubeconfig, certDir }: World,
  options: RotationOptions = {},
): Promise<RunningRotation & { readonly seen: ReadonlyArray<Transition>; readonly warned: string[] }> => {
  const seen: Array<Transition> = []
  const warned: Array<string> = []
  const rotation = await startRotation({
    certDir,
    ...(options.authenticateWith === undefined ? { bootstrapKubeconfig } : {}),
    ...(options.template === undefined ? { nodeName: 'worker-1' } : {}),
    onTransition: (transition) => seen.push(transition),
    onWarning: (message) => warned.push(message),
    ...options,
  })
  defer(rotation.stop)
  return { ...rotation, seen, warned }
}

/** Waits until the rotation is in a state. */
export const until = (
  rotation: Pick<RunningRotation, 'state'>,
  state: Transition['to'],
  options?: { readonly deadline: number },
): Promise<true> => eventually(`it is ${state}`, () => rotation.state()._tag === state || undefined, options)

/** Asks the API who it takes us for, on a connection of its own. */
export const whoami = ({ url, authority }: ControlPlane, credential: Credential): Promise<string> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', agent: false, ca: authority(), headers, ...credential.tls() }
    request(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(JSON.parse(text).status.userInfo.username))
    })
      .on('error', reject)
      .end(body)
  })
