/**
 * An embedder's program, a process of its own: an informer of client-node through a `KubeConfig` that follows a
 * credential. It rotates, again and again, and tells what it saw.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import * as k8s1 from '@kubernetes/client-node'
import { isRight } from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { kubeConfig, trustOf } from '../../adapters/connections/client-node.js'
import { follow } from '../../adapters/connections/index.js'
import { newer } from '../adapters/connections/newer.js'
import { credential, credentialSource } from '../adapters/connections/pki.js'
import { eventually, type TestContext } from '../helper/index.js'

const patience = { deadline: 30_000 }

const Setup = t.type({
  /** Which client-node: 1.x or 2.x. */
  version: t.number,
  url: t.string,
  /** Base64 of PEM. */
  caData: t.string,
  namespace: t.string,
  /** The certificates, one after the other. */
  pairs: t.array(t.type({ pem: t.string, key: t.string, serial: t.string })),
})
type Setup = t.TypeOf<typeof Setup>

const Report = t.type({
  /** The resource versions that it was told of, in order. */
  seen: t.array(t.string),
  errors: t.array(t.string),
  /** How often it connected. */
  connects: t.number,
})

const decoded = <A>(type: t.Decoder<unknown, A>, value: unknown): A => {
  const result = type.decode(value)
  if (isRight(result)) return result.right
  throw new Error(`an unknown message: ${JSON.stringify(value)}`)
}

/** Runs the program through all rotations, and on until it has seen what `last` answers then. */
export const runInformer = async (
  { defer }: TestContext,
  node: string,
  setup: Setup,
  last: () => Promise<string>,
): Promise<t.TypeOf<typeof Report>> => {
  const program = fork(import.meta.filename, ['--inform'], { execPath: node })
  defer(() => program.kill('SIGKILL'))
  const gone = once(program, 'exit').then(() => {
    throw new Error('the program has ended before its time')
  })
  const answer = async (message: object): Promise<unknown> => {
    const next = once(program, 'message')
    program.send(message)
    return (await Promise.race([next, gone]))[0]
  }
  await answer(setup)
  return decoded(Report, await answer({ last: await last() }))
}

const inform = async ({ version, url, caData, namespace, pairs }: Setup) => {
  const k8s = version === 2 && newer._tag === 'Here' ? await newer.load() : k8s1
  const [first, ...others] = pairs
  if (first === undefined) throw new Error('there is no certificate')
  const config = new k8s.KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'cluster', server: url, caData, skipTLSVerify: false },
    { name: 'user' },
  )
  const credentials = credentialSource(first)
  const following = follow({ credentials, trust: trustOf(config) }, { grace: 100 })
  const core = kubeConfig(following, config).makeApiClient(k8s.CoreV1Api)
  const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  )

  const report = { seen: [] as string[], errors: [] as string[], connects: 0 }
  informer.on('change', ({ metadata }) => report.seen.push(metadata?.resourceVersion ?? ''))
  informer.on('error', (error) => report.errors.push(String(error)))
  informer.on('connect', () => {
    report.connects += 1
  })
  await informer.start()
  const more = async (what: string, count = report.seen.length) => {
    await eventually(what, () => report.errors.length > 0 || report.seen.length > count, patience)
  }
  await more('it sees the first changes', 1)
  for (const pair of others) {
    const before = report.connects
    credentials.set(O.some(credential(pair)))
    await more('it goes on within the grace period')
    await eventually(
      'it has connected with the new certificate, and the old connections are gone',
      () =>
        report.errors.length > 0 || (report.connects > before && following.connectionCounts().length === 1),
      patience,
    )
    await more('it sees changes with the new certificate')
  }
  process.once('message', async (message) => {
    const { last } = decoded(t.type({ last: t.string }), message)
    await eventually('it sees the last change', () => report.seen.includes(last), patience).catch(() => {})
    // It is not stopped: client-node 1.x calls its own stopping an error.
    process.send?.(report, () => process.exit())
  })
  process.send?.('rotated')
}

if (process.argv[2] === '--inform') process.once('message', (message) => inform(decoded(Setup, message)))
