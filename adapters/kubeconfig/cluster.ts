import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { ApiError, Interrupted } from '../../src/model/failure.js'
import type { ClientCredential, Cluster } from '../../src/ports.js'
import type { Signal } from '../../src/signal.js'

export type { Cluster } from '../../src/ports.js'

/** An API server and a credential for it: a credential goes nowhere else. */
export interface Access {
  readonly cluster: Cluster
  readonly credential: ClientCredential
  /** The server rejected the credential. Absent: nobody can give another one. */
  readonly wasRejected?: IO<void>
}

/** Finds out where to ask, and as whom; run for each request, since addresses, CAs and credentials are replaced. */
export type AccessSource = (signal: Signal) => TaskEither<ApiError | Interrupted, Access>
