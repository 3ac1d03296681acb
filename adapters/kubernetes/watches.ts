import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import type { Signal } from '../../src/signal.js'
import { type ApiCall, parseJson, type Stream } from './client.js'
import { type Lines, linesOf } from './line-reader.js'
import type { CsrClient } from './requests.js'
import type { ApiResponse } from './response.js'
import { type SharedLines, shareLines } from './shared-lines.js'

/** A watch that tells of one request, and of whatever its reader has to pass over. */
export interface Watch {
  readonly _tag: 'Watch'
  /** What was asked of whom. */
  readonly what: string
  readonly lines: Lines
  /** It may have begun after the version asked for: the request has to be read once. */
  readonly late: boolean
}

/** What is to be watched, and from which version on. */
export interface Watched {
  readonly name: string
  readonly resourceVersion: string
  /** How long the server is asked to hold the watch. */
  readonly seconds: number
}

/** The watches of one identity. */
export interface Watches {
  /** A watch, or the response that is none. */
  readonly open: (csrs: CsrClient, watched: Watched, signal: Signal) => ApiCall<Watch | ApiResponse>
}

interface Shared {
  readonly _tag: 'Shared'
  readonly what: string
  readonly lines: SharedLines
}

const NamedEvent = t.type({ object: t.type({ metadata: t.type({ name: t.string }) }) })

/**
 * One request is watched by its name. As soon as a second one is, the collection is watched, once for all that come from
 * then on; who comes to it late reads its request once. Where the collection may not be watched, each has its own watch.
 * `onIdle`: nothing is watched any more.
 */
export const watches = (onIdle: () => void): Watches => {
  let users = 0
  /** Under way or open. */
  let collection: ReturnType<ApiCall<Shared | ApiResponse>> | undefined
  let forbidden = false

  const release = (): void => {
    users -= 1
    if (users === 0) onIdle()
  }

  /** The lines, counted among the users until they end or are closed. */
  const counted = (lines: Lines): Lines => {
    let left = false
    const leave = () => {
      if (!left) release()
      left = true
    }
    return {
      next: async (silence, signal) => {
        const line = await lines.next(silence, signal)
        if (line._tag !== 'Line') leave()
        return line
      },
      close: () => {
        lines.close()
        leave()
      },
    }
  }

  const openOwn = (csrs: CsrClient, watched: Watched, signal: Signal): ApiCall<Watch | ApiResponse> =>
    TE.map((started: Stream | ApiResponse): Watch | ApiResponse =>
      started._tag === 'ApiResponse'
        ? started
        : { _tag: 'Watch', what: started.what, lines: linesOf(started.message), late: false },
    )(csrs.watch(queryOf(watched, `metadata.name=${watched.name}`), signal))

  const openCollection = (
    csrs: CsrClient,
    watched: Watched,
    signal: Signal,
  ): NonNullable<typeof collection> => {
    const forget = () => {
      if (collection === opening) collection = undefined
    }
    const opening = TE.map((started: Stream | ApiResponse): Shared | ApiResponse =>
      started._tag === 'ApiResponse'
        ? started
        : {
            _tag: 'Shared',
            what: started.what,
            lines: shareLines(linesOf(started.message), nameIn, forget),
          },
    )(csrs.watch(queryOf(watched), signal))().then((opened) => {
      if (E.isLeft(opened) || opened.right._tag === 'ApiResponse') forget()
      return opened
    })
    return opening
  }

  const openShared =
    (csrs: CsrClient, watched: Watched, signal: Signal): ApiCall<Watch | ApiResponse> =>
    async () => {
      const late = collection !== undefined
      collection ??= openCollection(csrs, watched, signal)
      const opened = await collection
      if (E.isLeft(opened)) {
        // Who opened it was cut short, not we.
        const isOurs = opened.left._tag !== 'Interrupted' || signal.aborted
        return isOurs ? opened : openShared(csrs, watched, signal)()
      }
      if (opened.right._tag === 'ApiResponse') {
        if (opened.right.status !== 403) return E.right(opened.right)
        forbidden = true
        return openOwn(csrs, watched, signal)()
      }
      const { what, lines } = opened.right
      return E.right({ _tag: 'Watch', what, lines: lines.about(watched.name), late })
    }

  return {
    open: (csrs, watched, signal) => async () => {
      users += 1
      const opened = await (users > 1 && !forbidden ? openShared : openOwn)(csrs, watched, signal)()
      if (E.isRight(opened) && opened.right._tag === 'Watch')
        return E.right({ ...opened.right, lines: counted(opened.right.lines) })
      release()
      return opened
    },
  }
}

const queryOf = ({ resourceVersion, seconds }: Watched, fieldSelector?: string): URLSearchParams =>
  new URLSearchParams({
    watch: '1',
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    resourceVersion,
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(seconds),
  })

/** Whom a line of a watch is about; undefined: nobody, or it cannot be read, which each reader is to see. */
const nameIn = (text: string): string | undefined => {
  const event = parseJson(text)
  return NamedEvent.is(event) ? event.object.metadata.name : undefined
}
