import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { noticeStatus } from '../rejection.js'

/** What becomes of one request. */
export interface Observer {
  readonly rejected: (reason: string) => void
  readonly upgraded: (socket: Duplex) => void
  /** Answered, failed or upgraded. */
  readonly finished: () => void
}

/** A handler that passes everything on, and lets an observer see. */
export const watching = (
  handler: Dispatcher.DispatchHandler,
  { rejected, upgraded, finished }: Observer,
): Dispatcher.DispatchHandler => {
  let hear: ((chunk: Uint8Array) => void) | undefined
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (controller, status, headers, socket) => {
      upgraded(socket)
      finished()
      handler.onRequestUpgrade?.(controller, status, headers, socket)
    },
    onResponseStarted: () => handler.onResponseStarted?.(),
    onResponseStart: (controller, status, headers, text) => {
      hear = noticeStatus(status, rejected)
      handler.onResponseStart?.(controller, status, headers, text)
    },
    onResponseData: (controller, chunk) => {
      hear?.(chunk)
      handler.onResponseData?.(controller, chunk)
    },
    onResponseEnd: (controller, trailers) => {
      finished()
      handler.onResponseEnd?.(controller, trailers)
    },
    onResponseError: (controller, error) => {
      finished()
      handler.onResponseError?.(controller, error)
    },
  }
}
