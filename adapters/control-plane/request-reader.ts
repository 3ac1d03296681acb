/** Reads the PKCS#10 request in a spec, once for each. */
import type * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { CryptoError } from '../../src/model/failure.js'
import { type ParsedRequest, parseRequest } from '../crypto/index.js'
import type { Spec } from './signing-request.js'

/** Left: why it is none, in words for the one who sent it. */
export type RequestReader = (spec: Spec) => TE.TaskEither<string, ParsedRequest>

const label = 'CERTIFICATE REQUEST'

/** A reader that remembers what it read as long as the spec lives. */
export const requestReader = (): RequestReader => {
  const known = new WeakMap<Spec, Promise<E.Either<string, ParsedRequest>>>()
  const read = ({ request }: Spec): TE.TaskEither<string, ParsedRequest> => {
    const pem = Buffer.from(request, 'base64').toString('latin1')
    const [, first] = /-----BEGIN ([^-\n]*)-----/.exec(pem) ?? []
    if (first !== label) return TE.left(`PEM block type must be ${label}`)
    return TE.mapLeft(({ message }: CryptoError) => message)(parseRequest(pem))
  }
  return (spec) => () => {
    const reading = known.get(spec) ?? read(spec)()
    known.set(spec, reading)
    return reading
  }
}
