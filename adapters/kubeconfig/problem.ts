import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as t from 'io-ts'
import { isEmpty, pathOf, problemOf } from '../../src/model/codec.js'
import { type Failure, failure } from '../../src/model/failure.js'
import { didYouMean } from '../platform/nearest.js'

/** Why a kubeconfig, or a file that it names, gives no credential. */
export type KubeconfigError = Failure<'NoCredential'>

/** A place in a kubeconfig: the file, and the path in its document, such as `users[0].user`; empty for all of it. */
export interface Place {
  readonly file: string
  readonly at: string
}

/** A field of the mapping at a place. */
export const field = ({ file, at }: Place, name: string): Place => ({
  file,
  at: pathOf(at === '' ? [name] : [at, name]),
})

/** What is wrong at a place, and the cure. Looking at the file again costs nobody anything, so it is tried again soon. */
export const problem = ({ file, at }: Place, what: string, cure: string): KubeconfigError =>
  failure('NoCredential', 'soon', `kubeconfig ${file}: ${at === '' ? 'it' : at} ${what}`, cure)

/** The same for a result. */
export const refuse = (place: Place, what: string, cure: string): E.Either<KubeconfigError, never> =>
  E.left(problem(place, what, cure))

/** Decodes what stands at a place. */
export const decodeAt = <A>(
  place: Place,
  codec: t.Decoder<unknown, A>,
  value: unknown,
): E.Either<KubeconfigError, A> =>
  pipe(
    codec.decode(value),
    E.mapLeft((errors) => {
      const { where, what } = problemOf(errors)
      return problem(
        where === '' ? place : field(place, where),
        what,
        'correct it, for instance with kubectl config',
      )
    }),
  )

/**
 * Decodes fields all of which have to be known: one that is passed over may be what somebody's security rests on. Some are
 * known and `harmless`, some are `unsupported`, with the cure.
 */
export const decodeKnown = <P extends t.Props>(
  place: Place,
  codec: t.TypeC<P>,
  fields: Readonly<Record<string, unknown>>,
  harmless: ReadonlyArray<string> = [],
  unsupported: ReadonlyMap<string, string> = new Map(),
): E.Either<KubeconfigError, t.TypeOf<t.TypeC<P>>> => {
  const known = [...Object.keys(codec.props), ...harmless]
  const stranger = Object.keys(fields).find((name) => !known.includes(name) && !isEmpty(fields[name]))
  if (stranger === undefined) return decodeAt(place, codec, fields)
  const cure = unsupported.get(stranger)
  return cure === undefined
    ? refuse(field(place, stranger), 'is no field that is known here', didYouMean(stranger, known))
    : refuse(field(place, stranger), 'is not supported', cure)
}
