/**
 * What a certificate store keeps, as text: a pair as the kubelet writes it, and a saved request. For whoever writes a
 * store, so that each reads what another has written.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as t from 'io-ts'
import { problemOf } from './model/codec.js'
import { failure, type StoreError } from './model/failure.js'
import { type PemBlock, pemBlocks } from './model/pem.js'
import { type Secret, secret } from './model/secret.js'
import { CertificateTemplate } from './model/template.js'
import type { SavedRequest } from './ports.js'
import { okSync, stepsSync } from './steps.js'

/** A pair in one text: the chain, the leaf first, then the key; `chainIn` and `keyIn` read it. */
export const encodePair = ({ pem, key }: { readonly pem: string; readonly key: Secret }): Secret =>
  secret(pem.trimEnd().concat('\n', key.reveal().trimEnd(), '\n'))

/** The `CERTIFICATE` blocks of a text; none: it has none. */
export const chainIn = (text: string): O.Option<string> => {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'CERTIFICATE')
  return blocks.length === 0 ? O.none : O.some(blocks.map((block) => block.text).join(''))
}

/**
 * The key in a text, as `forStorage` of a crypto port gave it: the first `PRIVATE KEY` of any kind, or else the first
 * block that is no certificate, revocation list or parameters.
 */
export const keyIn = (text: string): O.Option<Secret> => {
  const blocks = pemBlocks(text).filter(couldBeKey)
  const found = blocks.find(({ label }) => label.endsWith('PRIVATE KEY')) ?? blocks[0]
  return pipe(
    O.fromNullable(found),
    O.map((block) => secret(block.text)),
  )
}

const couldBeKey = ({ label }: PemBlock): boolean => !/CERTIFICATE|CRL|PARAMETERS/.test(label)

/** The key, if it would be found again beside a certificate; a store asks before it keeps one. */
export const storableKey = (key: Secret): E.Either<StoreError, Secret> => {
  const blocks = pemBlocks(key.reveal()).filter(({ label }) => !label.includes('PARAMETERS'))
  return blocks.length === 1 && blocks.every(couldBeKey)
    ? E.right(key)
    : E.left(
        failure(
          'StoreUnwritable',
          'later',
          `what the crypto port gives to be stored for a key (forStorage) would not be found again: it is ${inWords(blocks)}`,
          'give one block of PEM, whatever its label (capital letters, digits, spaces), except CERTIFICATE',
        ),
      )
}

const inWords = (blocks: ReadonlyArray<PemBlock>): string =>
  blocks.length === 0
    ? 'no block of PEM'
    : `${blocks.length === 1 ? 'a block' : `${blocks.length} blocks`} of PEM: ${blocks.map(({ label }) => label).join(', ')}`

/** The only version there has been. A field more needs no new one, a field that means something else does. */
const formatVersion = 1

const RequestText = t.type({
  formatVersion: t.literal(formatVersion),
  /** `metadata.name` of the request at the API. */
  name: t.string,
  keyId: t.string,
  template: CertificateTemplate,
  /** PKCS#10, PEM: exactly what is sent. */
  pem: t.string,
  /** What `KeyHandle.forStorage` gave. */
  key: t.string,
})

const Versioned = t.type({ formatVersion: t.number })

/** A saved request as JSON; there may be white space after it. */
export const encodeRequest = ({ draft, key }: SavedRequest): Secret => {
  const { name, keyId, template, pem } = draft
  const document = { formatVersion, name, keyId, template, pem, key: key.reveal() }
  return secret(JSON.stringify(document, undefined, 2))
}

/** Reads a saved request; the left side says what is wrong with it, without quoting it: a private key is in it. */
export const decodeRequest = (text: string): E.Either<string, SavedRequest> =>
  stepsSync(function* () {
    const json = yield* okSync(
      E.tryCatch(
        (): unknown => JSON.parse(text),
        () => 'it is no JSON',
      ),
    )
    if (Versioned.is(json) && json.formatVersion !== formatVersion)
      return yield* okSync(
        E.left(`its format version is ${json.formatVersion}, and this program knows only 1`),
      )
    const { name, keyId, template, pem, key } = yield* okSync(
      pipe(
        RequestText.decode(json),
        E.mapLeft((errors) => {
          const { where, what } = problemOf(errors)
          return `${where === '' ? 'it' : where} ${what}`
        }),
      ),
    )
    return { draft: { name, keyId, template, pem }, key: secret(key) }
  })
