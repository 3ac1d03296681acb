import * as E from 'fp-ts/lib/Either.js'
import type { IO } from 'fp-ts/lib/IO.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Milliseconds, second } from '../../src/model/time.js'
import { type KubernetesApi, longestMemory } from './api.js'

/** What was asked leaves a connection that is idle a little longer. */
const afterSuccess: Milliseconds = 15 * second

/**
 * An API that is opened when something is asked, and closed when nothing was for some time: a fleet has thousands, most
 * of them at rest. After a failure it stays as long as it remembers it.
 */
export const onDemand = (open: IO<KubernetesApi>): KubernetesApi => {
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
    <Problem, A>(ask: (opened: KubernetesApi) => TaskEither<Problem, A>): TaskEither<Problem, A> =>
    async () => {
      clearTimeout(closing)
      api ??= open()
      users += 1
      const result = await ask(api)()
      users -= 1
      if (users === 0 && api !== undefined)
        closing = setTimeout(close, E.isRight(result) ? afterSuccess : longestMemory).unref()
      return result
    }

  return {
    submit: (...asked) => using((opened) => opened.submit(...asked)),
    observe: (...asked) => using((opened) => opened.observe(...asked)),
    probe: (...asked) => using((opened) => opened.probe(...asked)),
    close,
  }
}
