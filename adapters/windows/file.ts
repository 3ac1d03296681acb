import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { failure, type WindowError } from '../../src/model/failure.js'
import { minute } from '../../src/model/time.js'
import type { Clock, RenewalWindows, Suggestion } from '../../src/ports.js'
import { readBounded } from '../platform/read-file.js'
import { type Asker, entriesOf, windowFor } from './document.js'

/** Windows from a file, read again every minute. */
export const windowsFromFile = (path: string, labels: Asker['labels'], clock: Clock): RenewalWindows => ({
  suggest: (held) =>
    pipe(
      readBounded(path),
      TE.chainEitherK((text) => entriesOf(path, text.reveal())),
      TE.bimap(
        (what): WindowError =>
          failure(
            'WindowUnknown',
            'later',
            `renewal windows of ${path}: ${what}`,
            'correct it; what it said before goes on counting',
            O.some(minute),
          ),
        (entries) => ({ window: windowFor(entries, { held, labels }, clock.now()), askAgainAfter: minute }),
      ),
    ),
})

/** The first of several that suggests something; where one is not known, and no other suggests anything, that is said. */
export const firstOf = (sources: ReadonlyArray<RenewalWindows>): RenewalWindows => ({
  suggest: (held, signal) => async () => {
    const suggestions = await Promise.all(sources.map(({ suggest }) => suggest(held, signal)()))
    const delay = Math.min(
      ...suggestions.map((suggestion) => (E.isRight(suggestion) ? suggestion.right.askAgainAfter : minute)),
    )
    for (const suggestion of suggestions) if (E.isLeft(suggestion)) return suggestion
    const suggested = suggestions.find(
      (suggestion) => E.isRight(suggestion) && O.isSome(suggestion.right.window),
    )
    const none: Suggestion = { window: O.none, askAgainAfter: delay }
    return E.map((found: Suggestion) => ({ ...found, askAgainAfter: delay }))(suggested ?? E.right(none))
  },
  subscribe: (listener) => {
    const ends = sources.flatMap(({ subscribe }) => (subscribe === undefined ? [] : [subscribe(listener)]))
    return () => {
      for (const end of ends) end()
    }
  },
})
