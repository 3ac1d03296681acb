import type { IncomingMessage } from 'node:http'
import type { IO } from 'fp-ts/lib/IO.js'
import { type Interrupted, interrupted } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import { onSignal, type Signal } from '../../src/signal.js'
import { type ConnectionFailure, connectionFailureOf } from '../connections/failure.js'
import { maxObjectSize } from './http-request.js'

/** What comes next in a stream of lines; after anything but a line it is closed. */
export type NextLine =
  | { readonly _tag: 'Line'; readonly text: string }
  | { readonly _tag: 'End' }
  /** It ended within a line, or a line has no end. */
  | { readonly _tag: 'NotALine'; readonly reason: string }
  | { readonly _tag: 'Silence' }
  | ConnectionFailure
  | Interrupted

export interface Lines {
  /** Waits for a whole line, no longer than `silence` ms however many bytes drip in. One call at a time. */
  readonly next: (silence: Milliseconds, signal: Signal) => Promise<NextLine>
  readonly close: IO<void>
}

/** Reads a body line by line. Between two calls nothing is read, and the connection does not keep the process alive. */
export const linesOf = (message: IncomingMessage): Lines => {
  const chunks = message[Symbol.asyncIterator]()
  const { socket } = message
  /** Whole lines that were read already. */
  const ready: Array<string> = []
  /** The beginning of the line after them. */
  let rest: Array<Buffer> = []
  let restSize = 0

  const take = (chunk: Buffer): void => {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      ready.push(Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8'))
      rest = []
      restSize = 0
      from = end + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
    restSize += chunk.length - from
  }

  const read = async (): Promise<NextLine> => {
    for (;;) {
      const text = ready.shift()
      if (text !== undefined && text.trim() !== '') return { _tag: 'Line', text }
      if (text !== undefined) continue
      if (restSize > maxObjectSize)
        return { _tag: 'NotALine', reason: `a line is longer than ${maxObjectSize} bytes` }
      const chunk = await chunks.next()
      if (chunk.done !== true) take(chunk.value)
      else return restSize === 0 ? { _tag: 'End' } : { _tag: 'NotALine', reason: 'it ended within a line' }
    }
  }

  return {
    close: () => {
      message.destroy()
    },
    next: async (silence, signal) => {
      let cut: NextLine | undefined
      const stop = (why: NextLine) => () => {
        cut ??= why
        message.destroy()
      }
      const forget = onSignal(signal, stop(interrupted))
      const timer = setTimeout(stop({ _tag: 'Silence' }), silence)
      socket.ref()
      const line = await readSafely(read)
      clearTimeout(timer)
      forget()
      const result = cut ?? line
      if (result._tag === 'Line') socket.unref()
      else message.destroy()
      return result
    },
  }
}

const readSafely = async (read: () => Promise<NextLine>): Promise<NextLine> => {
  try {
    return await read()
  } catch (error) {
    return connectionFailureOf(error)
  }
}
