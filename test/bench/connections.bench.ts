/**
 * 50 workers at full speed across 20 changes of the certificate, for each HTTP stack, beside the same client with a
 * certificate that stays, and beside client-node as it comes. The server is a thread of its own. The sides run in turns
 * (fixed, following, fixed), so that a ratio says more than a rate. What a ratio below 1 shows is the price of fifty
 * full handshakes a change; a change a second is some thousand times as many as there are in earnest.
 *
 * `npx tsc -b && node dist/test/bench/connections.bench.js [PART OF A NAME]...`
 */
import { connect } from 'node:http2'
import * as https from 'node:https'
import { credentials, Client as GrpcClient } from '@grpc/grpc-js'
import * as k8s from '@kubernetes/client-node'
import * as O from 'fp-ts/lib/Option.js'
import { Agent, type Dispatcher } from 'undici'
import { kubeConfig } from '../../adapters/connections/client-node.js'
import { channelOptions } from '../../adapters/connections/grpc.js'
import {
  type Following,
  follow,
  http2Client,
  httpsAgent,
  variable,
} from '../../adapters/connections/index.js'
import { dispatcher } from '../../adapters/connections/undici/index.js'
import { credential, credentialSource, newPki, type Pair, type Pki } from '../adapters/connections/pki.js'
import { startServer } from './server.js'

const workers = 50
const changes = 20
/** Between two changes, ms. */
const pause = 1_000

type Get = (path: string) => Promise<string>
interface Running {
  readonly get: Get
  readonly close: () => unknown
}
interface Contender {
  readonly name: string
  readonly following: (following: Following, url: string) => Running
  readonly fixed: (pki: Pki, pair: Pair, url: string) => Running
  readonly grpc?: true
}

const overHttps = (agent: https.Agent, url: string): Running => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      https
        .get(url + path, { agent }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString()
          })
          response.on('error', reject).on('end', () => resolve(text))
        })
        .on('error', reject)
    }),
  close: () => agent.destroy(),
})

const overUndici = (via: Dispatcher, url: string): Running => ({
  get: async (path) => (await via.request({ origin: url, path, method: 'GET' })).body.text(),
  close: () => via.destroy(),
})

const overFetch = (via: Dispatcher, url: string): Running => ({
  get: async (path) => {
    const init: object = { dispatcher: via }
    return (await fetch(url + path, init)).text()
  },
  close: () => via.destroy(),
})

const overHttp2 = (request: ReturnType<typeof http2Client>['request'], close: () => unknown): Running => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      const stream = request({ ':path': path })
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      stream.on('error', reject).on('end', () => resolve(text))
    }),
  close,
})

const overGrpc = (client: GrpcClient): Running => ({
  get: (path) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, Buffer.from, String, '', (error, answer) => {
        if (error === null) resolve(answer ?? '')
        else reject(error)
      })
    }),
  close: () => client.close(),
})

const overClientNode = (config: k8s.KubeConfig): Running => {
  const core = config.makeApiClient(k8s.CoreV1Api)
  return { get: () => core.readNamespacedPodLog({ name: 'pod', namespace: 'default' }), close: () => {} }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const kubeConfigOf = (url: string, pki?: Pki, pair?: Pair): k8s.KubeConfig => {
  const config = new k8s.KubeConfig()
  const user = pair === undefined ? {} : { certData: base64(pair.pem), keyData: base64(pair.key) }
  config.loadFromClusterAndUser(
    {
      name: 'c',
      server: url,
      skipTLSVerify: false,
      ...(pki === undefined ? {} : { caData: base64(pki.ca) }),
    },
    { name: 'u', ...user },
  )
  return config
}

const tlsOf = ({ ca }: Pki, { pem: cert, key }: Pair) => ({ ca, cert, key })
const grpcName = { 'grpc.ssl_target_name_override': 'localhost' }
const contenders: ReadonlyArray<Contender> = [
  {
    name: 'node:https',
    following: (following, url) => overHttps(httpsAgent(following), url),
    fixed: (pki, pair, url) => overHttps(new https.Agent({ keepAlive: true, ...tlsOf(pki, pair) }), url),
  },
  {
    name: 'undici',
    following: (following, url) => overUndici(dispatcher(following), url),
    fixed: (pki, pair, url) => overUndici(new Agent({ connect: tlsOf(pki, pair) }), url),
  },
  {
    name: 'global fetch',
    following: (following, url) => overFetch(dispatcher(following), url),
    fixed: (pki, pair, url) => overFetch(new Agent({ connect: tlsOf(pki, pair) }), url),
  },
  {
    name: 'node:http2',
    following: (following, url) => {
      const client = http2Client(following, url)
      return overHttp2(client.request, client.destroy)
    },
    fixed: (pki, pair, url) => {
      const session = connect(url, tlsOf(pki, pair))
      return overHttp2(
        (...parameters) => session.request(...parameters),
        () => session.destroy(),
      )
    },
  },
  {
    name: 'grpc-js',
    following: (following, url) =>
      overGrpc(
        new GrpcClient(new URL(url).host, credentials.createSsl(), {
          ...channelOptions(following),
          ...grpcName,
        }),
      ),
    fixed: (pki, pair, url) => {
      const [ca, key, pem] = [pki.ca, pair.key, pair.pem].map((text) => Buffer.from(text))
      return overGrpc(new GrpcClient(new URL(url).host, credentials.createSsl(ca, key, pem), grpcName))
    },
    grpc: true,
  },
  {
    name: 'client-node 1.x',
    following: (following, url) => overClientNode(kubeConfig(following, kubeConfigOf(url))),
    // As it comes: a connection for each request.
    fixed: (pki, pair, url) => overClientNode(kubeConfigOf(url, pki, pair)),
  },
]

interface Outcome {
  readonly requests: number
  readonly failed: number
  /** Requests a second. */
  readonly rate: number
  /** From a change to the last request that the server saw with the old certificate, ms; the longest. */
  readonly lateness: number
  /** Connections with an old certificate at the end. */
  readonly left: number
}

const sleep = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time))

/** Runs the workers until `during` has ended; tells when which request was sent, and the certificate it had. */
const work = async (
  get: Get,
  during: () => Promise<void>,
  sent: (at: number, serial: string) => void = () => {},
): Promise<Pick<Outcome, 'requests' | 'failed' | 'rate'>> => {
  let [working, requests, failed] = [true, 0, 0]
  const began = performance.now()
  const all = Array.from({ length: workers }, async () => {
    while (working) {
      const at = performance.now()
      await get('/').then(
        (serial) => sent(at, serial),
        () => {
          failed += 1
        },
      )
      requests += 1
    }
  })
  await during()
  working = false
  await Promise.all(all)
  return { requests, failed, rate: (requests * 1_000) / (performance.now() - began) }
}

const runFixed = async (pki: Pki, { fixed, grpc }: Contender): Promise<Outcome> => {
  const server = await startServer(pki, grpc ? 'grpc' : 'http')
  const running = fixed(pki, await pki.client(), server.url)
  await work(running.get, () => sleep(pause))
  const outcome = await work(running.get, () => sleep((changes / 2) * pause))
  await running.close()
  await server.close()
  return { ...outcome, lateness: 0, left: 0 }
}

const runFollowing = async (pki: Pki, { following: start, grpc }: Contender): Promise<Outcome> => {
  const server = await startServer(pki, grpc ? 'grpc' : 'http')
  let current = await pki.client()
  const source = credentialSource(current)
  const following = follow({ credentials: source, trust: variable(O.some(pki.ca)) })
  const running = start(following, server.url)
  await work(running.get, () => sleep(pause))
  const replacedAt = new Map<string, number>()
  let lateness = 0
  const outcome = await work(
    running.get,
    async () => {
      for (let change = 0; change < changes; change += 1) {
        const next = await pki.client()
        await sleep(pause)
        source.set(O.some(credential(next)))
        replacedAt.set(current.serial, performance.now())
        current = next
      }
    },
    (at, serial) => {
      lateness = Math.max(lateness, at - (replacedAt.get(serial) ?? at))
    },
  )
  await sleep(50)
  const left = (await server.open()).filter((serial) => serial !== current.serial).length
  await running.close()
  following.close()
  await server.close()
  return { ...outcome, lateness, left }
}

const parts = process.argv.slice(2)
const pki = await newPki()
console.log(`${workers} workers, ${changes} changes, one every ${pause} ms, Node ${process.version}`)
console.log('stack             failed (fixed)   requests/s (fixed)   ratio   last sent with old   left over')
const wanted = ({ name }: Contender) => parts.length === 0 || parts.some((part) => name.includes(part))
for (const contender of contenders.filter(wanted)) {
  const before = await runFixed(pki, contender)
  const following = await runFollowing(pki, contender)
  const after = await runFixed(pki, contender)
  const rate = (before.rate + after.rate) / 2
  console.log(
    [
      contender.name.padEnd(17),
      `${following.failed} (${before.failed + after.failed})`.padEnd(16),
      `${following.rate.toFixed(0)} (${rate.toFixed(0)})`.padEnd(20),
      (following.rate / rate).toFixed(2).padEnd(7),
      `${following.lateness.toFixed(1)} ms`.padEnd(20),
      following.left,
    ].join(' '),
  )
}
process.exit(0)
