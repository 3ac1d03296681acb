/** A value's subscribers as async iterators. */
export interface Broadcast<A> {
  readonly send: (value: A) => void
  /** Ends every iterator, after what it has not delivered yet. */
  readonly end: () => void
  /** Everything sent from now on. One that nobody reads keeps the newest thousand values, and no more. */
  readonly listen: () => AsyncIterableIterator<A>
}

const longestQueue = 1_000

export const broadcast = <A>(): Broadcast<A> => {
  let receivers: ReadonlyArray<{ readonly receive: (value: A) => void; readonly close: () => void }> = []
  let ended = false

  const listen = (): AsyncIterableIterator<A> => {
    const queue: Array<A> = []
    let open = !ended
    let wake: (() => void) | undefined
    const receive = (value: A) => {
      queue.push(value)
      if (queue.length > longestQueue) queue.shift()
      wake?.()
    }
    const close = () => {
      open = false
      receivers = receivers.filter((one) => one !== receiver)
      wake?.()
    }
    const receiver = { receive, close }
    if (open) receivers = receivers.concat(receiver)
    const iterator: AsyncIterableIterator<A> = {
      next: async () => {
        while (queue.length === 0 && open)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        const [value] = queue.splice(0, 1)
        return value === undefined ? { done: true, value: undefined } : { done: false, value }
      },
      return: async () => {
        close()
        queue.length = 0
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  return {
    send: (value) => {
      for (const { receive } of receivers) receive(value)
    },
    end: () => {
      ended = true
      for (const { close } of receivers) close()
    },
    listen,
  }
}
