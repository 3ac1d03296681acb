/** A request to stop waiting. Every `AbortSignal` is one; the core makes its own because it knows no runtime. */
export interface Signal {
  readonly aborted: boolean
  readonly addEventListener: (type: 'abort', listener: () => void) => void
  readonly removeEventListener: (type: 'abort', listener: () => void) => void
}

/** A signal and the means to give it. */
export interface Interruption {
  readonly signal: Signal
  /** Gives the signal; again is the same as once. */
  readonly interrupt: () => void
}

/** A new signal, not yet given. */
export const interruption = (): Interruption => {
  let listeners: ReadonlyArray<() => void> = []
  const without = (listener: () => void) => listeners.filter((one) => one !== listener)
  const signal = {
    aborted: false,
    addEventListener: (_: 'abort', listener: () => void) => {
      listeners = without(listener).concat(listener)
    },
    removeEventListener: (_: 'abort', listener: () => void) => {
      listeners = without(listener)
    },
  }
  return {
    signal,
    interrupt: () => {
      if (signal.aborted) return
      signal.aborted = true
      const waiting = listeners
      listeners = []
      waiting.forEach((listener) => {
        listener()
      })
    },
  }
}

/** Calls `listener` when the signal is given, at once if it has been; the answer takes that back. */
export const onSignal = (signal: Signal, listener: () => void): (() => void) => {
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener)
  return () => signal.removeEventListener('abort', listener)
}
