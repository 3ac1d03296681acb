import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { type ApiError, interrupted } from '../../src/model/failure.js'
import type { Condition, OutstandingRequest } from '../../src/model/request.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import type { Signal } from '../../src/signal.js'
import { parseJson, type Result } from './client.js'
import { unreachable } from './network-error.js'
import { type CsrClient, conditionFrom, decodeRequest } from './requests.js'
import { answer, refusal, unintelligible } from './response.js'
import type { Sleep } from './sleep.js'
import type { Timeouts } from './timeouts.js'
import type { Watch, Watches } from './watches.js'

export type Sight = Condition | { readonly _tag: 'Gone' }

/** What is remembered between two observations of one request by one identity. */
export interface Observer {
  readonly uid: string
  readonly identity: string
  /** Answers as soon as the request is something else than `known`. */
  readonly observe: (known: 'Pending' | 'Approved', signal: Signal) => Result<Sight>
  readonly close: () => void
}

export interface Observing {
  readonly csrs: CsrClient
  readonly watches: Watches
  readonly hide: (text: string) => string
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

/**
 * Observes a request: by a watch from the version that is known, which misses nothing; by polling where that is refused.
 * After a failure (`failedBefore`: of an observation before this one) it reads the request first: an API server that lost
 * its data counts versions from the start again, and to a watch from one that it has not reached it says nothing.
 */
export const observer = (
  { csrs, watches, hide, timeouts, watchSeconds, sleep, warn }: Observing,
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

  const sightOf = (object: unknown, what: string): E.Either<ApiError, O.Option<Sight>> => {
    const decoded = decodeRequest(object, what)
    if (E.isLeft(decoded)) return decoded
    const request = decoded.right
    if (request.metadata.name !== name) return E.right(O.none)
    version = request.metadata.resourceVersion
    return E.right(O.some(request.metadata.uid === uid ? conditionFrom(request, hide) : { _tag: 'Gone' }))
  }

  /** Reads the request: what to do when a watch cannot tell. */
  const read = async (signal: Signal): Result<O.Option<Sight>> => {
    const got = await csrs.get(name, signal)
    if (E.isLeft(got)) return got
    const { status, namesAnObject, body, what } = got.right
    if (status === 200) return sightOf(body, what)
    return status === 404 && namesAnObject ? E.right(O.some({ _tag: 'Gone' })) : E.left(refusal(got.right))
  }

  const startWatch = async (signal: Signal): Result<O.Option<Sight>> => {
    if (shortWatches > 0) await sleep(Math.min(pollTo, 125 * 2 ** shortWatches), signal)()
    const started = await watches.open(
      csrs,
      { name, resourceVersion: version, seconds: watchSeconds },
      signal,
    )
    if (E.isLeft(started)) return started
    if (started.right._tag === 'Watch') {
      watch = { ...started.right, since: performance.now() }
      return watch.late ? read(signal) : E.right(O.none)
    }
    const refused = refusal(started.right)
    const { status } = started.right
    if (status === 410) return expired(signal)
    if (refused._tag === 'Forbidden' || status === 404 || status === 405) {
      polling = true
      warn(`the request is polled: ${refused.message}`)
      return read(signal)
    }
    return E.left(refused)
  }

  /** The server has forgotten the version that we know. */
  const expired = (signal: Signal): Result<O.Option<Sight>> => {
    close()
    shortWatches += 1
    return read(signal)
  }

  const follow = async (
    { what, lines, since, late }: NonNullable<typeof watch>,
    signal: Signal,
  ): Result<O.Option<Sight>> => {
    const next = await lines.next(timeouts.silence, signal)
    if (next._tag === 'Line') {
      const learnt = await learn(next.text, what, signal)
      // What was there before under its name may be in it.
      const isGone = E.isRight(learnt) && O.exists(({ _tag }: Sight) => _tag === 'Gone')(learnt.right)
      return late && isGone ? read(signal) : learnt
    }
    watch = undefined
    const wasSteady = performance.now() - since >= steady
    shortWatches = wasSteady ? 0 : shortWatches + 1
    switch (next._tag) {
      case 'Interrupted':
        return E.left(next)
      case 'End':
        return E.right(O.none)
      case 'Silence':
        return read(signal)
      case 'NotALine':
        return E.left(unintelligible(`${what}: the watch cannot be read: ${next.reason}`))
      case 'Breakdown':
        return wasSteady ? E.right(O.none) : E.left(unreachable(what, next))
    }
  }

  const learn = async (text: string, what: string, signal: Signal): Result<O.Option<Sight>> => {
    const json = parseJson(text)
    const event = WatchEvent.decode(E.isRight(json) ? json.right : undefined)
    if (E.isLeft(event)) return E.left(unintelligible(`${what}: a line of the watch is no event`))
    const { type, object } = event.right
    if (type === 'ERROR') {
      const code = StatusCode.is(object) ? object.code : 500
      return code === 410 ? expired(signal) : E.left(refusal(answer(what, code, {}, object, hide)))
    }
    if (type === 'BOOKMARK') {
      if (Versioned.is(object)) version = object.metadata.resourceVersion
      return E.right(O.none)
    }
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return E.right(O.none)
    const sight = sightOf(object, what)
    return type === 'DELETED' && E.isRight(sight) && O.isSome(sight.right)
      ? E.right(O.some({ _tag: 'Gone' }))
      : sight
  }

  const observe = async (known: 'Pending' | 'Approved', signal: Signal): Result<Sight> => {
    for (let interval = pollFrom; ; interval = Math.min(pollTo, interval * 1.5)) {
      if (signal.aborted) {
        close()
        return E.left(interrupted)
      }
      const sight = await (polling || failed
        ? read(signal)
        : watch === undefined
          ? startWatch(signal)
          : follow(watch, signal))
      if (E.isLeft(sight)) {
        failed ||= sight.left._tag !== 'Interrupted'
        close()
        return sight
      }
      failed = false
      // Approval is never taken back: a Pending after it is an old event.
      if (O.isSome(sight.right) && sight.right.value._tag !== known && sight.right.value._tag !== 'Pending') {
        if (sight.right.value._tag !== 'Approved') close()
        return E.right(sight.right.value)
      }
      if (polling) await sleep(interval, signal)()
    }
  }

  return { uid, identity, observe, close }
}
