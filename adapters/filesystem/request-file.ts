import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { problemOf } from '../../src/model/codec.js'
import { secret } from '../../src/model/secret.js'
import { CertificateTemplate } from '../../src/model/template.js'
import type { SavedRequest } from '../../src/ports.js'

/** The only version there has been. A field more needs no new one, a field that means something else does. */
const formatVersion = 1

const RequestFile = t.type({
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

/**
 * As much as a pair takes when it is installed. The file is filled up to this: a disk that can hold the request can
 * then hold its certificate, and one that cannot says so before anything is sent.
 */
const roomForPair = 16 * 1024

export const encodeRequest = ({ draft, key }: SavedRequest): string => {
  const { name, keyId, template, pem } = draft
  const document = { formatVersion, name, keyId, template, pem, key: key.reveal() }
  return `${JSON.stringify(document, undefined, 2).padEnd(roomForPair - 1)}\n`
}

/** Reads the file's text; the left side says what is wrong with it, without quoting it: a private key is in it. */
export const decodeRequest = (text: string): E.Either<string, SavedRequest> => {
  const json = E.tryCatch(
    (): unknown => JSON.parse(text),
    () => 'it is no JSON',
  )
  if (E.isLeft(json)) return json
  const decoded = RequestFile.decode(json.right)
  if (E.isRight(decoded)) {
    const { name, keyId, template, pem, key } = decoded.right
    return E.right({ draft: { name, keyId, template, pem }, key: secret(key) })
  }
  const versioned = Versioned.decode(json.right)
  if (E.isRight(versioned) && versioned.right.formatVersion !== formatVersion)
    return E.left(`its format version is ${versioned.right.formatVersion}, and this program knows only 1`)
  const { where, what } = problemOf(decoded.left)
  return E.left(`${where === '' ? 'it' : where} ${what}`)
}
