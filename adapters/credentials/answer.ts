/** What a credential plugin answers: an `ExecCredential` (`k8s.io/client-go/pkg/apis/clientauthentication`). */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { mapping, problemOf, text } from '../../src/model/codec.js'
import { secret } from '../../src/model/secret.js'
import { earliest, type Instant, instant, rfc3339 } from '../../src/model/time.js'
import type { ClientCredential } from '../../src/ports.js'
import { okSync, stepsSync } from '../../src/steps.js'

const ExecCredential = t.type({ kind: text, apiVersion: text, status: mapping })
const Status = t.type({
  token: text,
  clientCertificateData: text,
  clientKeyData: text,
  expirationTimestamp: text,
})

/** Reads what a plugin printed; an error is the end of the sentence "the plugin …", and quotes nothing of it. */
export const readAnswer = (
  printed: string,
  apiVersion: string,
  now: Instant,
): E.Either<string, ClientCredential> =>
  stepsSync(function* () {
    const json = yield* okSync(
      E.tryCatch(
        (): unknown => JSON.parse(printed),
        () => 'printed no JSON',
      ),
    )
    const answer = yield* okSync(decoded(ExecCredential, json, ''))
    if (answer.kind !== 'ExecCredential')
      return yield* okSync(E.left('printed another kind of object than an ExecCredential'))
    if (answer.apiVersion !== apiVersion)
      return yield* okSync(
        E.left(`answered in another apiVersion than ${apiVersion}, which the kubeconfig names`),
      )
    const status = yield* okSync(decoded(Status, answer.status, 'status.'))
    return yield* okSync(credentialIn(status, now))
  })

const decoded = <A>(codec: t.Decoder<unknown, A>, value: unknown, at: string): E.Either<string, A> =>
  pipe(
    codec.decode(value),
    E.mapLeft((errors) => {
      const { where, what } = problemOf(errors)
      return where === ''
        ? `printed something else than an object: it ${what}`
        : `answered with ${at}${where}, which ${what}`
    }),
  )

const credentialIn = (
  { token, clientCertificateData: pem, clientKeyData: key, expirationTimestamp }: t.TypeOf<typeof Status>,
  now: Instant,
): E.Either<string, ClientCredential> => {
  if (token === '' && pem === '' && key === '')
    return E.left('answered with neither a token nor a certificate with its key')
  if (pem !== '' && key === '') return E.left('answered with a certificate without its key')
  if (pem === '' && key !== '') return E.left('answered with a key without its certificate')
  if (!/^[\x21-\x7e]*$/.test(token))
    return E.left('answered with a token that has characters that no token has')
  const stated = expirationTimestamp === '' ? O.none : O.some(instantOf(expirationTimestamp))
  if (O.isSome(stated) && O.isNone(stated.value))
    return E.left('answered with status.expirationTimestamp, which must be a time as RFC 3339 has it')
  const notAfter = pem === '' ? E.right(O.none) : endOfPair(pem, key)
  if (E.isLeft(notAfter)) return notAfter
  const ends = [O.flatten(stated), notAfter.right].flatMap(O.match(() => [], Array.of<Instant>))
  const expiresAt = ends.length === 0 ? O.none : O.some(earliest(...ends))
  if (O.isSome(expiresAt) && expiresAt.value <= now)
    return E.left(
      `answered with a credential that expired at ${rfc3339(expiresAt.value)} by this machine's clock`,
    )
  return E.right({
    token: token === '' ? O.none : O.some(secret(token)),
    clientCertificate: pem === '' ? O.none : O.some({ pem, key: { _tag: 'Pem', pem: secret(key) } }),
    expiresAt,
  })
}

/** RFC 3339, as Go's `time.RFC3339` reads it. */
const instantOf = (timestamp: string): O.Option<Instant> => {
  const milliseconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(timestamp)
    ? Date.parse(timestamp)
    : Number.NaN
  return Number.isNaN(milliseconds) ? O.none : O.some(instant(milliseconds))
}

/** When the certificate expires; it has to belong to the key. */
const endOfPair = (pem: string, key: string): E.Either<string, O.Option<Instant>> =>
  pipe(
    E.tryCatch(
      () => {
        const leaf = new X509Certificate(pem)
        return { end: Date.parse(leaf.validTo), matches: leaf.checkPrivateKey(createPrivateKey(key)) }
      },
      () => 'answered with a certificate or a key that cannot be read',
    ),
    E.filterOrElse(
      ({ matches }) => matches,
      () => 'answered with a certificate that is for another key',
    ),
    E.map(({ end }) => O.some(instant(end))),
  )
