/** The outputs of a rotation: each is brought in line when the certificate or the cluster changes. */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Task } from 'fp-ts/lib/Task.js'
import type { Clock, CredentialSource, Output, OutputContent } from '../../src/ports.js'
import type { Source } from '../connections/source.js'
import type { Cluster } from '../kubernetes/index.js'
import { keepOutput } from '../outputs/index.js'

const nothingToStop: Task<void> = async () => {}

/** Keeps them until the answer is run; `onWritten` hears what was written to which. */
export const keepOutputs = (
  outputs: ReadonlyArray<Output> = [],
  credentials: CredentialSource,
  cluster: Source<O.Option<Cluster>>,
  clock: Clock,
  warn: (message: string) => void,
  onWritten: (output: Output) => (content: OutputContent) => void,
): Task<void> => {
  if (outputs.length === 0) return nothingToStop
  const content = () =>
    pipe(
      credentials.current(),
      O.map((credential) => ({ credential, cluster: cluster.current() })),
    )
  const kept = outputs.map((output) => keepOutput(output, content, clock, warn, onWritten(output)))
  const updateAll = () => {
    for (const { update } of kept) update()
  }
  const unfollow = [credentials.subscribe(updateAll), cluster.subscribe(updateAll)]
  return async () => {
    for (const end of unfollow) end()
    await Promise.all(kept.map(({ stop }) => stop()))
  }
}
