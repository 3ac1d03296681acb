import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { type ApiError, interrupted } from '../../src/model/failure.js'
import type { CertificateSigningRequest, Condition, OutstandingRequest } from '../../src/model/request.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import type { Signal } from '../../src/signal.js'
import { fail, ok, steps } from '../../src/steps.js'
import { type ApiCall, parseJson } from './client.js'
import { unreachable } from './network-error.js'
import { type CsrClient, conditionFrom, decodeRequest } from './requests.js'
import { apiResponse, errorFrom, unintelligible } from './response.js'
import type { Sleep } from './sleep.js'
import type { Timeouts } from './timeouts.js'
import type { Watch, Watches } from './watches.js'

export type Observed = Condition | { readonly _tag: 'Gone' }

/** What is remembered between two observations of one request by one identity. */
export interface Observer {
  readonly uid: string
  readonly identity: string
  /** Answers as soon as the request is something else than `known`. */
  readonly observe: (known: 'Pending' | 'Approved', signal: Signal) => ApiCall<Observed>
  readonly close: () => void
}

export interface Observing {
  readonly csrs: CsrClient
  readonly watches: Watches
  readonly redact: (text: string) => string
  readonly timeouts: Timeouts
  /** How long the server is asked to hold a watch, in seconds. */
  readonly watchSeconds: number
  readonly sleep: Sleep
  readonly warn: (message: string) => void
}

/** Polling begins at two seconds, and slows down to fifteen: whoever approves by hand still sees it act. */
const pollFrom: Milliseconds = 2 * second
const pollTo: Milliseconds = 15 * second
/** A watch that was cut off after less than this is a failure; after more it is what proxies and restarts do. */
const steady: Milliseconds = 30 * second

const WatchEvent = t.type({ type: t.string, object: t.unknown })
const StatusCode = t.type({ code: t.number })
const Versioned = t.type({ metadata: t.type({ resourceVersion: t.string }) })

const gone: Observed = { _tag: 'Gone' }

/**
 * Observes a request: by a watch from the version that is known, which misses nothing; by polling where that is refused.
 * After a failure (`failedBefore`: of an observation before this one) it reads the request first: an API server that lost
 * its data counts versions from the start again, and to a watch from one that it has not reached it says nothing.
 */
export const observer = (
  { csrs, watches, redact, timeouts, watchSeconds, sleep, warn }: Observing,
  { name, uid, resourceVersion }: OutstandingRequest,
  identity: string,
  failedBefore: boolean,
): Observer => {
  let version = resourceVersion
  /** The watch, and `performance.now()` at its start. */
  let watch: (Watch & { readonly since: number }) | undefined
  let polling = false
  let failed = failedBefore
  /** Watches in a row that ended at once. */
  let shortWatches = 0

  const close = (): void => {
    watch?.lines.close()
    watch = undefined
  }

  const decoded = (object: unknown, what: string): E.Either<ApiError, O.Option<Observed>> =>
    E.map((request: CertificateSigningRequest): O.Option<Observed> => {
      if (request.metadata.name !== name) return O.none
      version = request.metadata.resourceVersion
      return O.some(request.metadata.uid === uid ? conditionFrom(request, redact) : gone)
    })(decodeRequest(object, what))

  /** Reads the request: what to do when a watch cannot tell. */
  const read = (signal: Signal): ApiCall<O.Option<Observed>> =>
    steps(async function* () {
      const response = yield* ok(csrs.get(name, signal))
      const { status, namesAnObject, body, what } = response
      if (status === 200) return yield* ok(decoded(body, what))
      return status === 404 && namesAnObject ? O.some(gone) : yield* fail(errorFrom(response))
    })

  const startWatch = (signal: Signal): ApiCall<O.Option<Observed>> =>
    steps(async function* () {
      if (shortWatches > 0) await sleep(Math.min(pollTo, 125 * 2 ** shortWatches), signal)()
      const started = yield* ok(
        watches.open(csrs, { name, resourceVersion: version, seconds: watchSeconds }, signal),
      )
      if (started._tag === 'Watch') {
        watch = { ...started, since: performance.now() }
        return started.late ? yield* ok(read(signal)) : O.none
      }
      const error = errorFrom(started)
      const { status } = started
      if (status === 410) return yield* ok(versionExpired(signal))
      if (error._tag === 'Forbidden' || status === 404 || status === 405) {
        polling = true
        warn(`the request is polled: ${error.message}`)
        return yield* ok(read(signal))
      }
      return yield* fail(error)
    })

  /** The server has forgotten the version that we know. */
  const versionExpired = (signal: Signal): ApiCall<O.Option<Observed>> => {
    close()
    shortWatches += 1
    return read(signal)
  }

  const readWatch = (
    { what, lines, since, late }: NonNullable<typeof watch>,
    signal: Signal,
  ): ApiCall<O.Option<Observed>> =>
    steps(async function* () {
      const next = await lines.next(timeouts.silence, signal)
      if (next._tag === 'Line') {
        const observed = yield* ok(readEvent(next.text, what, signal))
        // What was there before under its name may be in it.
        const isGone = O.exists(({ _tag }: Observed) => _tag === 'Gone')(observed)
        return late && isGone ? yield* ok(read(signal)) : observed
      }
      watch = undefined
      const wasSteady = performance.now() - since >= steady
      shortWatches = wasSteady ? 0 : shortWatches + 1
      switch (next._tag) {
        case 'Interrupted':
          return yield* fail(next)
        case 'End':
          return O.none
        case 'Silence':
          return yield* ok(read(signal))
        case 'NotALine':
          return yield* fail(unintelligible(`${what}: the watch cannot be read: ${next.reason}`))
        case 'ConnectionFailure':
          return wasSteady ? O.none : yield* fail(unreachable(what, next))
      }
    })

  const readEvent = (text: string, what: string, signal: Signal): ApiCall<O.Option<Observed>> =>
    steps(async function* () {
      const event = parseJson(text)
      if (!WatchEvent.is(event))
        return yield* fail(unintelligible(`${what}: a line of the watch is no event`))
      const { type, object } = event
      if (type === 'ERROR') {
        const code = StatusCode.is(object) ? object.code : 500
        return code === 410
          ? yield* ok(versionExpired(signal))
          : yield* fail(errorFrom(apiResponse(what, code, {}, object, redact)))
      }
      if (type === 'BOOKMARK' && Versioned.is(object)) version = object.metadata.resourceVersion
      if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return O.none
      const observed = yield* ok(decoded(object, what))
      return type === 'DELETED' && O.isSome(observed) ? O.some(gone) : observed
    })

  const observe =
    (known: 'Pending' | 'Approved', signal: Signal): ApiCall<Observed> =>
    async () => {
      for (let interval = pollFrom; ; interval = Math.min(pollTo, interval * 1.5)) {
        if (signal.aborted) {
          close()
          return E.left(interrupted)
        }
        const observed = await (polling || failed
          ? read(signal)
          : watch === undefined
            ? startWatch(signal)
            : readWatch(watch, signal))()
        if (E.isLeft(observed)) {
          failed ||= observed.left._tag !== 'Interrupted'
          close()
          return observed
        }
        failed = false
        // Approval is never taken back: a Pending after it is an old event.
        const now = O.toUndefined(observed.right)
        if (now !== undefined && now._tag !== known && now._tag !== 'Pending') {
          if (now._tag !== 'Approved') close()
          return E.right(now)
        }
        if (polling) await sleep(interval, signal)()
      }
    }

  return { uid, identity, observe, close }
}
