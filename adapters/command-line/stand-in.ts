import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure } from '../../src/model/failure.js'
import type { TlsCredential } from '../../src/ports.js'
import { variable } from '../connections/source.js'
import type { KubeconfigError } from '../kubernetes/index.js'
import type { RunningRotation } from '../node/index.js'
import type { Asker } from '../node/options.js'

/** Whom a certificate is requested with, before that rotation runs and when it is replaced by another. */
export interface StandIn extends Asker {
  readonly set: (rotation: O.Option<RunningRotation>) => void
}

export const standIn = (name: string): StandIn => {
  const now = variable<O.Option<RunningRotation>>(O.none)
  const missing: KubeconfigError = failure(
    'NoCredential',
    'soon',
    `the certificate ${name}, which it is requested with, is not kept at the moment`,
    'see what the log says about it',
  )
  const ofIt = <A>(task: (rotation: RunningRotation) => TE.TaskEither<KubeconfigError, A>) =>
    pipe(TE.fromIO(now.current), TE.chain(O.match(() => TE.left(missing), task)))
  const credentialOf = O.chain(({ credentials }: RunningRotation) => credentials.current())
  return {
    set: now.set,
    cluster: ofIt(({ cluster }) => cluster),
    access: ofIt(({ access }) => access),
    credentials: {
      current: () => credentialOf(now.current()),
      subscribe: (listener) => {
        let end = () => {}
        const follow = (rotation: O.Option<RunningRotation>): void => {
          end()
          end = O.isSome(rotation) ? rotation.value.credentials.subscribe(listener) : () => {}
        }
        follow(now.current())
        const over = now.subscribe((rotation) => {
          follow(rotation)
          const credential: O.Option<TlsCredential> = credentialOf(rotation)
          listener(credential)
        })
        return () => {
          over()
          end()
        }
      },
    },
    reportRejected: (rejection) => {
      const rotation = now.current()
      if (O.isSome(rotation)) rotation.value.reportRejected(rejection)
    },
  }
}
