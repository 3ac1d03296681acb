/** The stack of client-node, for whichever of its versions a test hands over. */
import type { Http2ServerResponse } from 'node:http2'
import { inspect } from 'node:util'
import type * as k8sTypes from '@kubernetes/client-node'
import * as O from 'fp-ts/lib/Option.js'
import { kubeConfig, trustOf } from '../../../adapters/connections/client-node.js'
import {
  type Credential,
  type Following,
  follow,
  type Rejection,
  variable,
} from '../../../adapters/connections/index.js'
import { assert, eventually, type Suite } from '../../helper/index.js'
import { requestsPath } from '../control-plane/client.js'
import { rotating, world } from '../node/world.js'
import { proxy } from '../proxy.js'
import { battery, type Client, routeBattery, type Stack, settingOf, statusBattery } from './battery.js'
import { credential, credentialSource, newPki } from './pki.js'
import { type RecorderOptions, recorder } from './server.js'

/** client-node 1.x; the part of 2.x that is used here is the same. */
export type ClientNode = typeof k8sTypes

/** `/pods/NAME/log` is how the tests ask for any path through a generated API, since it answers with plain text. */
const pathOf = (url: string): string => {
  const [, name] = /\/pods\/([^/]+)\/log$/.exec(url) ?? []
  return name === undefined ? url.replace('/api/v1', '') : decodeURIComponent(name)
}

export const testClientNode = (test: Suite, k8s: ClientNode): void => {
  const configOf = (following: Following, url: string) => {
    const config = new k8s.KubeConfig()
    config.loadFromClusterAndUser({ name: 'cluster', server: url, skipTLSVerify: false }, { name: 'user' })
    return kubeConfig(following, config)
  }
  const clientOf = (following: Following, url: string): Client => {
    const config = configOf(following, url)
    const core = config.makeApiClient(k8s.CoreV1Api)
    const aborts: Array<AbortController> = []
    return {
      get: async (path) => {
        try {
          const text = await core.readNamespacedPodLog({ name: path, namespace: 'default' })
          if (text === '') throw new Error('the answer was cut off')
          return text
        } catch (error) {
          if (error instanceof k8s.ApiException) return String(error.body ?? error.message)
          throw error
        }
      },
      watch: async (path) => {
        let text = ''
        let end = (_: unknown) => {}
        const ended = new Promise<boolean>((resolve) => {
          end = (error) => resolve(error === null)
        })
        aborts.push(
          await new k8s.Watch(config).watch(
            `/api/v1${path.split('?')[0]}`,
            {},
            (type: string) => {
              text += type
            },
            end,
          ),
        )
        return { text: () => text, ended }
      },
      close: () => {
        for (const abort of aborts) abort.abort()
      },
    }
  }
  const stack: Stack = { client: clientOf, pathOf }
  battery(test, stack)
  statusBattery(test, stack)
  routeBattery(test, stack)

  test('goes through the proxy of its own cluster, and says which kinds there are', async (context) => {
    const pki = await newPki()
    const server = await recorder(pki, { pathOf })
    context.defer(server.close)
    const { port, targets } = await proxy(context, undefined, server.port)
    const first = await pki.client()
    const following = follow({ credentials: credentialSource(first), trust: variable(O.some(pki.ca)) })
    context.defer(following.close)
    const ask = (proxyUrl: string) => {
      const config = new k8s.KubeConfig()
      const cluster = { name: 'cluster', server: 'https://api.test.invalid:6443', skipTLSVerify: false }
      config.loadFromClusterAndUser({ ...cluster, tlsServerName: 'localhost', proxyUrl }, { name: 'user' })
      const core = kubeConfig(following, config).makeApiClient(k8s.CoreV1Api)
      return core.readNamespacedPodLog({ name: '/a', namespace: 'default' })
    }
    assert.is(await ask(`http://127.0.0.1:${port}`), first.serial)
    assert.equal(targets, ['api.test.invalid:6443'])
    const refused: unknown = await ask('ftp://127.0.0.1').catch((error: unknown) => error)
    assert.match(inspect(refused), /proxy|PROXY/i)
  })

  test('an informer sees every event through ten changes', async (context) => {
    const api = podsApi()
    const configs: Array<k8sTypes.KubeConfig> = []
    const informed: Stack = {
      client: (following, url) => {
        configs.push(configOf(following, url))
        return { ...clientOf(following, url), close: () => informer?.stop() }
      },
      respond: api.respond,
    }
    let informer: k8sTypes.Informer<k8sTypes.V1Pod> | undefined
    const { server, renew } = await settingOf(informed, newPki)(context, { grace: 30 })
    const [config] = configs
    assert.ok(config)
    const core = config.makeApiClient(k8s.CoreV1Api)
    const seen: Array<string> = []
    const errors: Array<unknown> = []
    informer = k8s.makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces())
    informer.on('add', (pod) => seen.push(pod.metadata?.name ?? ''))
    informer.on('error', (error) => errors.push(error))
    await informer.start()
    const names: Array<string> = []
    for (const round of Array.from({ length: 10 }, (_, index) => index)) {
      names.push(api.add(`before-${round}`))
      const serial = await renew()
      names.push(api.add(`after-${round}`))
      await eventually(
        'the watch has the new certificate',
        () => server.serials('/api/v1/pods').at(-1) === serial,
      )
    }
    await eventually('all have been seen', () => seen.length >= names.length)
    assert.equal(seen, names)
    assert.equal(errors, [])
  })

  test('the user of a bootstrap kubeconfig is taken out: the server sees the certificate, or nobody', async (context) => {
    const there = await world(context)
    const rotation = await rotating(context, there)
    await rotation.issued()
    const credentials = variable<O.Option<Credential>>(rotation.credentials.current())
    const rejections: Array<Rejection> = []
    const config = new k8s.KubeConfig()
    config.loadFromString(there.plane.bootstrapKubeconfig())
    assert.ok(config.getCurrentUser()?.token, 'it has a token')
    const following = follow(
      { credentials, trust: trustOf(config) },
      { onRejected: (rejection) => rejections.push(rejection) },
    )
    context.defer(following.close)
    kubeConfig(following, config)
    const reviews = config.makeApiClient(k8s.AuthenticationV1Api)
    const whoami = () => reviews.createSelfSubjectReview({ body: {} })
    assert.is((await whoami()).status?.userInfo?.username, 'system:node:worker-1')
    const watching = await new k8s.Watch(config).watch(
      requestsPath,
      {},
      () => {},
      () => {},
    )
    watching.abort()
    credentials.set(O.some(credential(await (await newPki()).client())))
    const refused: unknown = await whoami().catch((error: unknown) => error)
    assert.is(refused instanceof k8s.ApiException && refused.code, 401)
    assert.is(rejections.length, 1)
    assert.equal(
      there
        .calls()
        .slice(-3)
        .map(({ user }) => O.toUndefined(user)),
      ['system:node:worker-1', 'system:node:worker-1', undefined],
    )
    const another = { name: 'another', server: 'https://another:6443', skipTLSVerify: false }
    config.loadFromClusterAndUser(another, { name: 'its', token: 'of another server' })
    assert.is(config.getCurrentUser()?.token, 'of another server', 'whose user stays')
  })

  test('exec over a WebSocket has the grace period, and the next one the new certificate', async (context) => {
    const configs: Array<k8sTypes.KubeConfig> = []
    const plain: Stack = {
      client: (following, url) => {
        configs.push(configOf(following, url))
        return clientOf(following, url)
      },
    }
    const { server, first, renew } = await settingOf(plain, newPki)(context, { grace: 50 })
    const [config] = configs
    assert.ok(config)
    const exec = () => new k8s.Exec(config).exec('default', 'pod', 'main', ['true'], null, null, null, false)
    const before = await exec()
    const over = new Promise((resolve) => before.once('close', resolve))
    const serial = await renew()
    const after = await exec()
    await over
    assert.equal(server.serials('/api/v1/namespaces/default/pods/pod/exec'), [first.serial, serial])
    after.terminate()
  })
}

/** Lists and watches of pods, as an API server has them. */
const podsApi = () => {
  const pods: Array<{ metadata: { name: string; namespace: string; resourceVersion: string } }> = []
  const watches = new Set<Http2ServerResponse>()
  const line = (object: object) => `${JSON.stringify({ type: 'ADDED', object })}\n`
  const respond: RecorderOptions['respond'] = (request, response) => {
    const url = new URL(request.url, 'https://localhost')
    if (url.pathname !== '/api/v1/pods') return false
    response.setHeader('content-type', 'application/json')
    if (!url.searchParams.has('watch')) {
      const metadata = { resourceVersion: String(pods.length) }
      response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata, items: pods }))
      return true
    }
    const since = Number(url.searchParams.get('resourceVersion'))
    response.write(
      `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(since) } } })}\n`,
    )
    for (const pod of pods.slice(since)) response.write(line(pod))
    watches.add(response)
    response.on('close', () => watches.delete(response))
    return true
  }
  const add = (name: string): string => {
    const pod = { metadata: { name, namespace: 'default', resourceVersion: String(pods.length + 1) } }
    pods.push(pod)
    for (const watch of watches) watch.write(line(pod))
    return name
  }
  return { respond, add }
}
