import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { problemOf } from '../../src/model/codec.js'
import { type ApiError, failure, type WindowError } from '../../src/model/failure.js'
import { type Milliseconds, minute } from '../../src/model/time.js'
import type { Clock, RenewalWindows } from '../../src/ports.js'
import { type Interruption, interruption, type Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import type { Access } from '../kubeconfig/cluster.js'
import { type ApiCall, type Client, client } from '../kubernetes/client.js'
import { connections } from '../kubernetes/connection.js'
import { linesOf } from '../kubernetes/line-reader.js'
import { type ApiResponse, errorFrom, unintelligible } from '../kubernetes/response.js'
import { defaultTimeouts } from '../kubernetes/timeouts.js'
import type { ConfigMapName } from './config-map-name.js'
import { type Asker, type Entry, entriesOf, windowFor } from './document.js'

export interface ConfigMapOptions extends ConfigMapName {
  readonly labels: Asker['labels']
  /** Where the API is; it is asked with the certificate held. */
  readonly cluster: TE.TaskEither<ApiError, Access['cluster']>
  readonly clock: Clock
}

/** A ConfigMap (`k8s.io/api/core/v1`): the fields that matter here. */
const ConfigMap = t.type({
  metadata: t.type({ resourceVersion: t.string }),
  data: t.union([t.undefined, t.null, t.record(t.string, t.string)]),
})

/** Read again after this where the watch tells of nothing, or may not be opened. */
const interval: Milliseconds = 10 * minute

/**
 * Windows from a ConfigMap, whose every key is a document. It is read when it is asked for, and watched from the version
 * that was read: an event is not looked at, it only has the ConfigMap read again. So what a watch misses costs time only.
 * One that is not there suggests nothing.
 */
export const windowsFromConfigMap = (options: ConfigMapOptions): RenewalWindows => {
  const { namespace, name, labels, clock } = options
  const source = `ConfigMap ${namespace}/${name}`
  const listeners = new Set<IO<void>>()
  let watching: Interruption | undefined

  const unwatch = () => {
    watching?.interrupt()
    watching = undefined
  }

  /** Until the first event, or the watch's end. */
  const watch = async (use: Client, close: () => void, resourceVersion: string): Promise<void> => {
    unwatch()
    const mine = interruption()
    watching = mine
    const query = new URLSearchParams({
      watch: '1',
      fieldSelector: `metadata.name=${name}`,
      resourceVersion,
      timeoutSeconds: String(interval / 1000),
    })
    const { signal } = mine
    const opened = await use.stream(`/api/v1/namespaces/${namespace}/configmaps?${query}`, signal)()
    if (E.isRight(opened) && opened.right._tag === 'Stream') {
      const lines = linesOf(opened.right.message)
      const line = await lines.next(interval, signal)
      lines.close()
      if (line._tag === 'Line' && watching === mine) for (const listener of listeners) listener()
    }
    close()
    if (watching === mine) watching = undefined
  }

  /** Undefined: there is none. */
  const read =
    (access: Access, signal: Signal): ApiCall<t.TypeOf<typeof ConfigMap> | undefined> =>
    async () => {
      const pool = connections(defaultTimeouts.connect)
      const use = client(access, pool, defaultTimeouts)
      const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`
      const map = E.chainW(decoded(options))(await use.ask('GET', path, undefined, signal)())
      // One that is not there yet may come: its watch begins with what there is then.
      if (E.isLeft(map) || signal.aborted) pool.close()
      else void watch(use, pool.close, map.right?.metadata.resourceVersion ?? '')
      return map
    }

  const because = ({ message, remedy }: ApiError): WindowError => unknown(source, message, remedy)

  return {
    suggest: (held, signal) =>
      steps(async function* () {
        if (O.isNone(held.credential))
          return yield* fail(
            unknown(source, 'the key of the certificate cannot be used', 'look at the certificate directory'),
          )
        const { pem, key } = held.credential.value
        const cluster = yield* ok(TE.mapLeft(because)(options.cluster))
        const credential = { token: O.none, expiresAt: O.none, clientCertificate: O.some({ pem, key }) }
        const map = yield* ok(
          pipe(
            read({ cluster, credential }, signal),
            TE.mapLeft((error) => (error._tag === 'Interrupted' ? error : because(error))),
          ),
        )
        const entries = yield* ok(
          pipe(
            entriesIn(source, map?.data ?? {}),
            E.mapLeft((what) => unknown(source, what, 'correct it; what it said before goes on counting')),
          ),
        )
        return { window: windowFor(entries, { held, labels }, clock.now()), askAgainAfter: interval }
      }),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) unwatch()
      }
    },
  }
}

const decoded =
  (named: ConfigMapName) =>
  (response: ApiResponse): E.Either<ApiError, t.TypeOf<typeof ConfigMap> | undefined> => {
    const { body, what, status } = response
    if (status === 404) return E.right(undefined)
    if (status !== 200) return E.left(withRole(errorFrom(response), named))
    return E.mapLeft((errors: t.Errors) => {
      const { where, what: problem } = problemOf(errors)
      return unintelligible(`${what} was answered with no ConfigMap: ${where} ${problem}`)
    })(ConfigMap.decode(body))
  }

const entriesIn = (
  source: string,
  data: Readonly<Record<string, string>>,
): E.Either<string, ReadonlyArray<Entry>> =>
  pipe(
    Object.entries(data),
    E.traverseArray(([key, document]) =>
      pipe(
        entriesOf(`${source}, ${key}`, document),
        E.mapLeft((what) => `data[${JSON.stringify(key)}]: ${what}`),
      ),
    ),
    E.map((entries) => entries.flat()),
  )

const unknown = (source: string, message: string, remedy: string): WindowError =>
  failure('WindowUnknown', 'later', `renewal windows of ${source}: ${message}`, remedy, O.some(interval))

const withRole = (error: ApiError, { namespace, name }: ConfigMapName): ApiError =>
  error._tag === 'Forbidden'
    ? {
        ...error,
        remedy: `let its user get and watch ConfigMap ${name} in namespace ${namespace}, by a role and a binding`,
      }
    : error
