import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type ControlPlane, startControlPlane } from '../control-plane/index.js'
import { type Credential, inWords, second, startRotation } from '../node/index.js'
import { eventInWords } from './control-plane.js'
import { type Flags, readFlags, type UsageError } from './flags.js'

export const demoFlags = {} satisfies Flags<string>

export const readDemo = (args: ReadonlyArray<string>): E.Either<UsageError, undefined> =>
  E.map(() => undefined)(readFlags<never>(demoFlags, args))

const lifetime = 20 * second
const renewals = 2
const nodeName = 'demo-node'

/** What the agent of the demo uses its certificate for: it asks the API who it is. */
const whoami = (url: string, ca: string, credential: Credential): Promise<void> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', headers, agent: false, ca, ...credential.tls() }
    request(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, options, (response) => {
      response.resume().on('end', resolve)
    })
      .on('error', reject)
      .end(body)
  })

/** A control plane and an agent in one process: a certificate is bootstrapped, used, and renewed twice. */
export const demo = async (_: undefined, signal: AbortSignal): Promise<number> => {
  const began = performance.now()
  const tell = (what: string, text: string) => {
    const elapsed = ((performance.now() - began) / second).toFixed(2).padStart(6)
    process.stdout.write(`${elapsed}s  ${what.padEnd(6)} ${text}\n`)
  }
  const started = await startControlPlane({
    clusterSigningDuration: lifetime,
    onEvent: (event) => tell(event._tag === 'Call' ? 'api' : 'signer', eventInWords(event)),
  })()
  if (E.isLeft(started)) {
    process.stderr.write(`kube-cert-rotation: ${started.left.message}; ${started.left.remedy}\n`)
    return 1
  }
  const plane = started.right
  const folder = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-demo-'))
  try {
    tell('plane', `a control plane of our own at ${plane.url}, certificates of ${inWords(lifetime)}`)
    tell('agent', `node ${nodeName}, files in ${folder}`)
    return await showRotation(plane, folder, tell, signal)
  } finally {
    await plane.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const showRotation = async (
  plane: ControlPlane,
  folder: string,
  tell: (what: string, text: string) => void,
  signal: AbortSignal,
): Promise<number> => {
  const certDir = join(folder, 'pki')
  const bootstrapKubeconfig = join(folder, 'bootstrap.kubeconfig')
  await writeFile(bootstrapKubeconfig, plane.bootstrapKubeconfig(), { mode: 0o600 })
  const rotation = await startRotation({
    nodeName,
    certDir,
    bootstrapKubeconfig,
    kubeconfig: join(folder, 'kubeconfig'),
    signal,
    onTransition: ({ from, to, message }) =>
      tell('agent', `${from === to ? to : `${from} → ${to}`}: ${message}`),
    onWarning: (message) => tell('agent', `warning: ${message}`),
  })
  const keys = new Set<string>()
  for await (const { reason } of rotation.transitions()) {
    const credential = rotation.current()
    if (reason !== 'Installed' || credential === undefined) continue
    keys.add(credential.keyId)
    tell('disk', await listing(certDir))
    await whoami(plane.url, plane.authority(), credential)
    if (keys.size > renewals) break
    tell('agent', rotation.explain())
  }
  const done = keys.size > renewals
  await rotation.stop()
  if (done)
    tell(
      'agent',
      `${keys.size} certificates with ${keys.size} keys, each used as soon as it was stored; nothing is left behind`,
    )
  return done || signal.aborted ? 0 : 1
}

/** The pairs in the certificate directory, and which is the current one. */
const listing = async (certDir: string): Promise<string> => {
  const names = (await readdir(certDir)).filter((name) => /-\d{4}-.*\.pem$/.test(name)).sort()
  const current = await readlink(join(certDir, 'kubelet-client-current.pem'))
  return `current → ${current.replace(/^.*\//, '')}; kept: ${names.join(', ')}`
}
