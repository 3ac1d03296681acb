/** A small client of the control plane over real sockets, for tests. */
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import * as E from 'fp-ts/lib/Either.js'
import { parse } from 'yaml'
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../../../adapters/control-plane/index.js'
import { cryptoBackend } from '../../../adapters/crypto/index.js'
import type { Names } from '../../../src/model/certificate.js'
import type { KeyHandle } from '../../../src/ports.js'
import type { TestContext } from '../../helper/index.js'

export const requestsPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

/** The value of a Right; a Left fails the test. */
export const right = <E, A>(either: E.Either<E, A>): A => {
  if (E.isLeft(either)) throw new Error(`unexpected failure: ${JSON.stringify(either.left)}`)
  return either.right
}

/** Starts a control plane that ends with the test. */
export const started = async (
  { defer }: TestContext,
  options: ControlPlaneOptions = {},
): Promise<ControlPlane> => {
  const controlPlane = right(await startControlPlane(options)())
  defer(controlPlane.close)
  return controlPlane
}

export interface Credentials {
  readonly token?: string
  readonly cert?: string
  readonly key?: string
}

export interface Answer {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The body as JSON; `undefined` when it is none. */
  readonly json: Json
}

/** JSON that can be looked into without ceremony: what is not there is undefined. */
export interface Json {
  readonly at: (...path: ReadonlyArray<string | number>) => unknown
}

export const json = (text: string): Json => {
  const read = E.tryCatch(
    (): unknown => JSON.parse(text),
    () => undefined,
  )
  return {
    at: (...path) =>
      path.reduce<unknown>(
        (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
        E.isRight(read) ? read.right : undefined,
      ),
  }
}

export interface Client {
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>
  /** The lines of a watch, as they come. */
  readonly watch: (query: string, headers?: Readonly<Record<string, string>>) => Promise<Watch>
}

export interface Watch {
  readonly lines: ReadonlyArray<Json>
  /** True when the server ended it in good order. */
  readonly ended: Promise<boolean>
  readonly stop: () => void
}

/** A client with these credentials; its connections end with the test. */
export const client = (
  { defer }: TestContext,
  controlPlane: Pick<ControlPlane, 'authority' | 'port'>,
  { token, ...certificate }: Credentials = {},
  connections: ConstructorParameters<typeof Agent>[0] = {},
): Client => {
  const agent = new Agent({
    keepAlive: true,
    ca: controlPlane.authority(),
    ...certificate,
    ...connections,
  })
  defer(() => agent.destroy())
  const send = (
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.isBuffer(body)
        ? body
        : body === undefined
          ? Buffer.alloc(0)
          : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      const outgoing = request(
        {
          agent,
          host: '127.0.0.1',
          port: controlPlane.port,
          method,
          path,
          headers: {
            ...(bytes.length === 0
              ? {}
              : { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
            ...headers,
          },
        },
        resolve,
      )
      outgoing.on('error', reject)
      outgoing.end(bytes)
    })
  return {
    call: async (method, path, body, headers = {}) => {
      const incoming = await send(method, path, body, headers)
      const chunks: Array<Buffer> = []
      for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
      const text = Buffer.concat(chunks).toString('utf8')
      return { code: incoming.statusCode ?? 0, headers: incoming.headers, text, json: json(text) }
    },
    watch: async (query, headers = {}) => {
      const incoming = await send('GET', `${requestsPath}?watch=1&${query}`, undefined, headers)
      const lines: Array<Json> = []
      let rest = ''
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n')
        rest = parts.pop() ?? ''
        lines.push(...parts.map(json))
      })
      incoming.on('error', () => {})
      const ended = new Promise<boolean>((resolve) =>
        incoming.once('close', () => resolve(incoming.complete)),
      )
      const stop = (): void => {
        incoming.destroy()
      }
      defer(stop)
      return { lines, ended, stop }
    },
  }
}

/** The credentials in a kubeconfig that the control plane wrote. */
export const credentialsOf = (kubeconfig: string): Credentials => {
  const user: Readonly<Record<string, string>> = parse(kubeconfig).users[0].user
  const text = (name: string): string => Buffer.from(user[name] ?? '', 'base64').toString('utf8')
  const token = user['token']
  return token === undefined
    ? { cert: text('client-certificate-data'), key: text('client-key-data') }
    : { token }
}

export const admin = (context: TestContext, controlPlane: ControlPlane): Client =>
  client(context, controlPlane, credentialsOf(controlPlane.adminKubeconfig()))

export const bootstrapper = (context: TestContext, controlPlane: ControlPlane): Client =>
  client(context, controlPlane, { token: controlPlane.bootstrapToken.reveal() })

/** A PKCS#10 request by a new key. */
export const newRequest = async (
  names: Partial<Names> = {},
): Promise<{ readonly key: KeyHandle; readonly pem: string; readonly base64: string }> => {
  const key = right(await cryptoBackend.generateKey('ECDSA-P256')())
  const pem = right(
    await key.createRequest({
      commonName: 'system:node:worker-1',
      organizations: ['system:nodes'],
      dnsNames: [],
      ipAddresses: [],
      uris: [],
      ...names,
    })(),
  )
  return { key, pem, base64: Buffer.from(pem).toString('base64') }
}

/** The object to post for a PKCS#10 request. */
export const signingRequest = (name: string, base64: string, spec: object = {}) => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: {
    request: base64,
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'key encipherment', 'client auth'],
    ...spec,
  },
})

/** Has a certificate issued for the names, and answers it with its key as TLS takes them. */
export const issued = async (
  context: TestContext,
  controlPlane: ControlPlane,
  name: string,
  names: Partial<Names> = {},
  spec: object = {},
): Promise<Required<Omit<Credentials, 'token'>>> => {
  const { key, base64 } = await newRequest(names)
  const posting = admin(context, controlPlane)
  const watching = await posting.watch(`fieldSelector=metadata.name=${name}`)
  const posted = await posting.call('POST', requestsPath, signingRequest(name, base64, spec))
  if (posted.code !== 201) throw new Error(posted.text)
  for (;;) {
    const certificate = watching.lines.at(-1)?.at('object', 'status', 'certificate')
    if (typeof certificate === 'string') {
      watching.stop()
      const tlsKey = right(await key.forTls())
      if (tlsKey._tag !== 'Pem') throw new Error('the key is not in PEM')
      return { cert: Buffer.from(certificate, 'base64').toString('utf8'), key: tlsKey.pem.reveal() }
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
