import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import type { CertificateSigningRequests, Identity } from '../../src/ports.js'
import { type KubernetesApi, longestMemory } from './api.js'

/** So long it waits for what an answer lets expect: a request that was sent is observed next. */
const betweenTwo: Milliseconds = 15 * second

/**
 * An API that is opened when something is asked, and closed when an answer was the last one for now: a fleet has
 * thousands, most of them at rest, and connections take more memory than everything else. After a failure it stays as
 * long as it remembers it. Where there is a `common` one, only requests with the certificate held need one of their own.
 */
export const onDemand = (open: IO<KubernetesApi>, common?: CertificateSigningRequests): KubernetesApi => {
  let api: KubernetesApi | undefined
  let users = 0
  let closing: NodeJS.Timeout | undefined

  const close = (): void => {
    clearTimeout(closing)
    closing = undefined
    api?.close()
    api = undefined
  }
  const using =
    <Problem, A>(
      { _tag }: Identity,
      ask: (requests: CertificateSigningRequests) => TaskEither<Problem, A>,
      isLast: (answer: A) => boolean,
    ): TaskEither<Problem, A> =>
    async () => {
      if (common !== undefined && _tag !== 'Held') return ask(common)()
      clearTimeout(closing)
      api ??= open()
      users += 1
      const result = await ask(api)()
      users -= 1
      if (users > 0 || api === undefined) return result
      if (E.isRight(result) && isLast(result.right)) close()
      else closing = setTimeout(close, E.isRight(result) ? betweenTwo : longestMemory).unref()
      return result
    }

  return {
    submit: (identity, ...asked) =>
      using(
        identity,
        (requests) => requests.submit(identity, ...asked),
        ({ condition }) => isSettled(condition),
      ),
    observe: (identity, ...asked) =>
      using(identity, (requests) => requests.observe(identity, ...asked), isSettled),
    probe: (identity, ...asked) =>
      using(
        identity,
        (requests) => requests.probe(identity, ...asked),
        () => true,
      ),
    close,
  }
}

/** Nothing follows of a request that has its certificate, or will have none. */
const isSettled = ({ _tag }: { readonly _tag: string }): boolean => _tag !== 'Pending' && _tag !== 'Approved'
