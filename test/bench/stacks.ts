/** The HTTP stacks of the connections benchmark: each with a certificate that stays, and with one that is followed. */
import { connect } from 'node:http2'
import * as https from 'node:https'
import { credentials, Client as GrpcClient } from '@grpc/grpc-js'
import { Agent, type Dispatcher } from 'undici'
import { channelOptions } from '../../adapters/connections/grpc.js'
import { type Following, http2Client, httpsAgent } from '../../adapters/connections/index.js'
import { dispatcher } from '../../adapters/connections/undici/index.js'
import type { Pair } from '../adapters/connections/pki.js'
import type { Target } from './target.js'

export const workers = 50

export interface Client {
  /** Asks for the target's path; the text of the answer. Rejects when the status is not 200. */
  readonly get: () => Promise<string>
  /** Not given: it has no such thing. */
  readonly close?: () => unknown
}

export interface Stack {
  readonly name: string
  readonly grpc?: true
  readonly followed: (following: Following, target: Target) => Client
  readonly fixed: (target: Target, pair: Pair) => Client
}

const ok = (status: unknown): void => {
  if (Number(status) !== 200) throw new Error(`status ${status}`)
}

const overHttps = (agent: https.Agent, { url, path }: Target): Client => ({
  get: () =>
    new Promise((resolve, reject) => {
      https
        .get(url + path, { agent }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString()
          })
          response.on('error', reject).on('end', () => {
            if (response.statusCode === 200) resolve(text)
            else reject(new Error(`status ${response.statusCode}`))
          })
        })
        .on('error', reject)
    }),
  close: () => agent.destroy(),
})

const overUndici = (via: Dispatcher, { url, path }: Target): Client => ({
  get: async () => {
    const { statusCode, body } = await via.request({ origin: url, path, method: 'GET' })
    ok(statusCode)
    return body.text()
  },
  close: () => via.destroy(),
})

const overFetch = (via: Dispatcher, { url, path }: Target): Client => ({
  get: async () => {
    const init: object = { dispatcher: via }
    const response = await fetch(url + path, init)
    ok(response.status)
    return response.text()
  },
  close: () => via.destroy(),
})

const overHttp2 = (
  request: ReturnType<typeof http2Client>['request'],
  close: () => unknown,
  { path }: Target,
): Client => ({
  get: () =>
    new Promise((resolve, reject) => {
      const stream = request({ ':path': path })
      let [text, status] = ['', 0]
      stream.on('response', (headers) => {
        status = Number(headers[':status'])
      })
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      stream.on('error', reject).on('end', () => {
        if (status === 200) resolve(text)
        else reject(new Error(`status ${status}`))
      })
    }),
  close,
})

const overGrpc = (client: GrpcClient, { path }: Target): Client => ({
  get: () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, Buffer.from, String, '', (error, answer) => {
        if (error === null) resolve(answer ?? '')
        else reject(error)
      })
    }),
  close: () => client.close(),
})

const tlsOf = ({ ca }: Target, { pem: cert, key }: Pair) => ({ ca, cert, key })
/** Without a limit it opens twice as many connections as there are workers. */
const stockAgent = (target: Target, pair: Pair) =>
  new Agent({ connections: workers, connect: tlsOf(target, pair) })
const grpcName = { 'grpc.ssl_target_name_override': 'localhost' }

export const stacks: ReadonlyArray<Stack> = [
  {
    name: 'node:https',
    followed: (following, target) => overHttps(httpsAgent(following), target),
    fixed: (target, pair) => overHttps(new https.Agent({ keepAlive: true, ...tlsOf(target, pair) }), target),
  },
  {
    name: 'undici',
    followed: (following, target) => overUndici(dispatcher(following), target),
    fixed: (target, pair) => overUndici(stockAgent(target, pair), target),
  },
  {
    name: 'global fetch',
    followed: (following, target) => overFetch(dispatcher(following), target),
    fixed: (target, pair) => overFetch(stockAgent(target, pair), target),
  },
  {
    name: 'node:http2',
    followed: (following, target) => {
      const { request, destroy } = http2Client(following, target.url)
      return overHttp2(request, destroy, target)
    },
    fixed: (target, pair) => {
      const session = connect(target.url, tlsOf(target, pair))
      return overHttp2(
        (...parameters) => session.request(...parameters),
        () => session.destroy(),
        target,
      )
    },
  },
  {
    name: 'grpc-js',
    grpc: true,
    followed: (following, target) => {
      const options = { ...channelOptions(following), ...grpcName }
      return overGrpc(new GrpcClient(new URL(target.url).host, credentials.createSsl(), options), target)
    },
    fixed: (target, { key, pem }) => {
      const [ca, own, chain] = [target.ca, key, pem].map((text) => Buffer.from(text))
      const ssl = credentials.createSsl(ca, own, chain)
      return overGrpc(new GrpcClient(new URL(target.url).host, ssl, grpcName), target)
    },
  },
]
