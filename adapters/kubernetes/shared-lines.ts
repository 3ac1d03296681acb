import type { IO } from 'fp-ts/lib/IO.js'
import { interrupted } from '../../src/model/failure.js'
import type { Milliseconds } from '../../src/model/time.js'
import { interruption, onSignal, type Signal } from '../../src/signal.js'
import { connectionFailure } from '../connections/failure.js'
import type { Lines, NextLine } from './line-reader.js'

/** One stream of lines for several readers. */
export interface SharedLines {
  /** The lines about a name from now on, and those about none. When it ends, it ends for each reader. */
  readonly about: (name: string) => Lines
}

interface Reader {
  readonly name: string
  readonly ready: Array<NextLine>
  /** Ends the call of `next` that waits. */
  wake: IO<void> | undefined
}

const closed: NextLine = connectionFailure('ECONNRESET', 'the watch was closed')

/**
 * Reads on while a reader waits, and closes the stream when the last reader has left. `nameIn`: whom a line is about;
 * undefined: all. `onClose` hears, once or again, that nobody is to come to it any more.
 */
export const shareLines = (
  lines: Lines,
  nameIn: (text: string) => string | undefined,
  onClose: IO<void>,
): SharedLines => {
  const readers = new Set<Reader>()
  const stop = interruption()
  let reading = false
  let ended: NextLine | undefined

  const close = (): void => {
    stop.interrupt()
    lines.close()
    onClose()
  }
  const leave = (reader: Reader): void => {
    if (readers.delete(reader) && readers.size === 0) close()
  }
  const hand = (line: NextLine): void => {
    const name = line._tag === 'Line' ? nameIn(line.text) : undefined
    for (const reader of [...readers]) {
      if (name !== undefined && reader.name !== name) continue
      reader.ready.push(line)
      reader.wake?.()
    }
  }
  const read = async (silence: Milliseconds): Promise<void> => {
    if (reading) return
    reading = true
    while (ended === undefined && [...readers].some(({ wake }) => wake !== undefined)) {
      const line = await lines.next(silence, stop.signal)
      if (line._tag !== 'Line') {
        ended = line
        onClose()
      }
      hand(line)
    }
    reading = false
  }

  const next = async (reader: Reader, silence: Milliseconds, signal: Signal): Promise<NextLine> => {
    if (reader.ready.length === 0 && ended === undefined) {
      let cut: NextLine | undefined
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          cut = { _tag: 'Silence' }
          wake()
        }, silence)
        const forget = onSignal(signal, () => {
          cut = interrupted
          queueMicrotask(() => wake())
        })
        const wake = () => {
          clearTimeout(timer)
          forget()
          reader.wake = undefined
          resolve()
        }
        reader.wake = wake
        void read(silence)
      })
      if (cut !== undefined) reader.ready.unshift(cut)
    }
    const line = reader.ready.shift() ?? ended ?? closed
    if (line._tag !== 'Line') leave(reader)
    return line
  }

  return {
    about: (name) => {
      const reader: Reader = { name, ready: [], wake: undefined }
      readers.add(reader)
      return {
        next: (silence, signal) => next(reader, silence, signal),
        close: () => {
          leave(reader)
          reader.ready.push(closed)
          reader.wake?.()
        },
      }
    },
  }
}
