/** Outputs that tell what became of each: a run that ends with `--once` ends after they were tried. */
import { EventEmitter, once } from 'node:events'
import * as E from 'fp-ts/lib/Either.js'
import type { OutputError } from '../../src/model/failure.js'
import type { Output } from '../../src/ports.js'

export interface WatchedOutputs {
  readonly outputs: ReadonlyArray<Output>
  /**
   * Waits until each was tried with the certificate in use, which `current` answers as PEM; on the left why the first
   * one that failed could not be written. It waits for as long as one hangs.
   */
  readonly tried: (current: () => string | undefined) => Promise<E.Either<OutputError, void>>
  /** The names of those that were not tried with this certificate yet. */
  readonly untried: (pem: string | undefined) => ReadonlyArray<string>
}

export const watchedOutputs = (given: ReadonlyArray<Output>): WatchedOutputs => {
  const tries = new Map<string, { readonly pem: string; readonly outcome: E.Either<OutputError, void> }>()
  const events = new EventEmitter()
  const untried = (pem: string | undefined): ReadonlyArray<string> =>
    given.map(({ name }) => name).filter((name) => pem === undefined || tries.get(name)?.pem !== pem)
  return {
    outputs: given.map(({ name, write }) => ({
      name,
      write: (content) => async () => {
        const outcome = await write(content)()
        tries.set(name, { pem: content.credential.pem, outcome })
        events.emit('tried')
        return outcome
      },
    })),
    tried: async (current) => {
      while (untried(current()).length > 0) await once(events, 'tried')
      return [...tries.values()].map(({ outcome }) => outcome).find(E.isLeft) ?? E.right(undefined)
    },
    untried,
  }
}
