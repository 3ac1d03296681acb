import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { type Addresses, isNoAddresses, isSameAddresses, nodeAddressesOf } from '../../src/model/addresses.js'
import { list, problemOf, text } from '../../src/model/codec.js'
import { type AddressError, type ApiError, failure } from '../../src/model/failure.js'
import { after, minute, second } from '../../src/model/time.js'
import type { AddressSource, Clock } from '../../src/ports.js'
import { interruption, type Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { Access } from '../kubeconfig/cluster.js'
import { wallClock } from '../platform/clock.js'
import { type ApiCall, type Client, client, parseJson } from './client.js'
import { connections } from './connection.js'
import { linesOf } from './line-reader.js'
import { type ApiResponse, errorFrom, unintelligible } from './response.js'
import { defaultTimeouts } from './timeouts.js'

export interface NodeAddressesOptions {
  /** `metadata.name` of the Node. */
  readonly nodeName: string
  /** Where the API is, and with which credential it is asked: `access` of the node's running rotation. */
  readonly access: TE.TaskEither<ApiError, Access>
  readonly clock?: Clock
}

/** A Node (`k8s.io/api/core/v1`): the fields that matter here. */
const Node = t.type({
  metadata: t.type({ name: t.string, resourceVersion: t.string }),
  status: t.union([t.undefined, t.type({ addresses: list(t.type({ type: text, address: text })) })]),
})
const WatchEvent = t.type({ type: t.string, object: t.unknown })

/** How long the server is asked to hold a watch. */
const watchSeconds = 480

/**
 * `status.addresses` of the Node object, as a kubelet or a cloud provider writes them: read, then watched. Nodes may read
 * and watch themselves (Node authoriser); what ends the watch is tried again, ever more slowly up to a minute.
 */
export const nodeAddresses =
  ({ nodeName, access, clock = wallClock }: NodeAddressesOptions): AddressSource =>
  (listener) => {
    const { signal, interrupt } = interruption()
    const pool = connections(defaultTimeouts.connect)
    let told: Addresses | undefined
    const tell = (addresses: Addresses): void => {
      if (told !== undefined && isSameAddresses(told, addresses)) return
      told = addresses
      if (isNoAddresses(addresses)) listener(E.left(none(nodeName)))
      listener(E.right(addresses))
    }
    const follow = async (): Promise<void> => {
      for (let pause = second; !signal.aborted; pause = Math.min(minute, pause * 2)) {
        const began = clock.now()
        const outcome = await pipe(
          access,
          TE.chainW((given) => readAndWatch(client(given, pool, defaultTimeouts), nodeName, tell, signal)),
        )()
        if (E.isLeft(outcome) && outcome.left._tag !== 'Interrupted')
          listener(E.left(unknown(nodeName, outcome.left)))
        if (clock.now() - began >= minute) pause = second
        await clock.sleepUntil(after(clock.now(), pause), signal)()
      }
      pool.close()
    }
    void follow()
    return interrupt
  }

const none = (nodeName: string): AddressError =>
  failure(
    'AddressesUnknown',
    'soon',
    `Node ${nodeName} has no IP address in status.addresses`,
    'have a kubelet or cloud provider write them, or take the addresses from elsewhere',
  )

const unknown = (nodeName: string, { message, remedy, retry, retryAfter }: ApiError): AddressError => ({
  _tag: 'AddressesUnknown',
  message: `the addresses of Node ${nodeName} are not known: ${message}`,
  remedy,
  retry,
  retryAfter,
})

/** Right: the watch came to its end. */
const readAndWatch = (
  { ask, stream }: Client,
  nodeName: string,
  tell: (addresses: Addresses) => void,
  signal: Signal,
): ApiCall<void> =>
  steps(async function* () {
    const path = `/api/v1/nodes/${encodeURIComponent(nodeName)}`
    const read = yield* ok(ask('GET', path, undefined, signal))
    if (read.status !== 200) return yield* fail(notThere(read, nodeName))
    const node = yield* ok(decoded(read.body, read.what))
    tell(addressesOf(node))
    const query = new URLSearchParams({
      watch: '1',
      fieldSelector: `metadata.name=${nodeName}`,
      resourceVersion: node.metadata.resourceVersion,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(watchSeconds),
    })
    const watch = yield* ok(stream(`/api/v1/nodes?${query}`, signal))
    if (watch._tag === 'ApiResponse') return yield* fail(errorFrom(watch))
    const lines = linesOf(watch.message)
    for (;;) {
      const next = await lines.next(defaultTimeouts.silence, signal)
      // Whatever ends it, the object is read again.
      if (next._tag !== 'Line') return
      const event = parseJson(next.text)
      if (!WatchEvent.is(event) || event.type === 'ERROR' || event.type === 'DELETED') return lines.close()
      if (event.type === 'BOOKMARK') continue
      const changed = decoded(event.object, watch.what)
      if (E.isRight(changed) && changed.right.metadata.name === nodeName) tell(addressesOf(changed.right))
    }
  })

const addressesOf = ({ status }: t.TypeOf<typeof Node>): Addresses => nodeAddressesOf(status?.addresses ?? [])

const decoded = (body: unknown, what: string): E.Either<ApiError, t.TypeOf<typeof Node>> =>
  E.mapLeft((errors: t.Errors) => {
    const problem = problemOf(errors)
    return unintelligible(`${what} was answered with no Node: ${problem.where} ${problem.what}`)
  })(Node.decode(body))

const notThere = (response: ApiResponse, nodeName: string): ApiError =>
  response.status === 404
    ? failure(
        'Unavailable',
        'soon',
        `there is no Node ${nodeName}`,
        'have a kubelet register it, or take the addresses from elsewhere',
      )
    : errorFrom(response)
