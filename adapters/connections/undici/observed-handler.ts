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

export interface Watched {
  readonly handler: Dispatcher.DispatchHandler
  /** Ends an answer that has begun as if it were complete; whether it had. Nothing of what follows is passed on. */
  readonly complete: () => boolean
}

/** A handler that passes everything on, and lets an observer see. */
export const watching = (handler: Dispatcher.DispatchHandler, observer: Observer): Watched =>
  handler.onRequestStart === undefined ? inEarlierForm(handler, observer) : inCurrentForm(handler, observer)

const inCurrentForm = (
  handler: Dispatcher.DispatchHandler,
  { rejected, upgraded, finished }: Observer,
): Watched => {
  let hear: ((chunk: Uint8Array) => void) | undefined
  let answering: Dispatcher.DispatchController | undefined
  let completed = false
  return {
    complete: () => {
      if (answering === undefined || completed) return false
      completed = true
      finished()
      handler.onResponseEnd?.(answering, {})
      return true
    },
    handler: {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) => {
        upgraded(socket)
        finished()
        handler.onRequestUpgrade?.(controller, status, headers, socket)
      },
      onResponseStarted: () => handler.onResponseStarted?.(),
      onResponseStart: (controller, status, headers, text) => {
        answering = controller
        hear = noticeStatus(status, rejected)
        handler.onResponseStart?.(controller, status, headers, text)
      },
      onResponseData: (controller, chunk) => {
        if (completed) return
        hear?.(chunk)
        handler.onResponseData?.(controller, chunk)
      },
      onResponseEnd: (controller, trailers) => {
        if (completed) return
        completed = true
        finished()
        handler.onResponseEnd?.(controller, trailers)
      },
      onResponseError: (controller, error) => {
        if (completed) return
        completed = true
        finished()
        handler.onResponseError?.(controller, error)
      },
    },
  }
}

/**
 * The form of undici 6, which undici 7 has for its own requests and Node for its `fetch`: brought into the current form
 * and back, each answer would cost a tenth more.
 */
const inEarlierForm = (
  handler: Dispatcher.DispatchHandler,
  { rejected, upgraded, finished }: Observer,
): Watched => {
  let hear: ((chunk: Uint8Array) => void) | undefined
  let answering = false
  let completed = false
  const complete = (trailers: string[] | null) => {
    if (completed) return
    completed = true
    finished()
    handler.onComplete?.(trailers)
  }
  return {
    complete: () => {
      if (!answering || completed) return false
      complete([])
      return true
    },
    handler: {
      onConnect: (...parameters) => handler.onConnect?.(...parameters),
      onUpgrade: (status, headers, socket) => {
        upgraded(socket)
        finished()
        handler.onUpgrade?.(status, headers, socket)
      },
      onResponseStarted: () => handler.onResponseStarted?.(),
      onHeaders: (status, headers, resume, text) => {
        answering = true
        hear = noticeStatus(status, rejected)
        return handler.onHeaders?.(status, headers, resume, text) ?? true
      },
      onData: (chunk) => {
        if (completed) return true
        hear?.(chunk)
        return handler.onData?.(chunk) ?? true
      },
      onComplete: complete,
      onError: (error) => {
        if (completed) return
        completed = true
        finished()
        handler.onError?.(error)
      },
    },
  }
}
