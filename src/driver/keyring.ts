import type { Task } from 'fp-ts/lib/Task.js'
import type { Certificate, CertificateChain, KeyId } from '../model/certificate.js'
import type { KeyHandle, TlsCredential } from '../ports.js'

/** The private keys in use, and what TLS needs of those that have a certificate. */
export interface Keyring {
  entries: ReadonlyArray<Entry>
}

interface Entry {
  readonly key: KeyHandle
  readonly credential?: TlsCredential
}

/** A keyring without keys. */
export const keyring = (): Keyring => ({ entries: [] })

const entryOf = ({ entries }: Keyring, id: KeyId): Entry | undefined =>
  entries.find(({ key }) => key.id === id)

const put = (keys: Keyring, entry: Entry): void => {
  keys.entries = keys.entries.filter(({ key }) => key.id !== entry.key.id).concat(entry)
}

export const keep = (keys: Keyring, key: KeyHandle): void => {
  put(keys, { ...entryOf(keys, key.id), key })
}

export const keyOf = (keys: Keyring, id: KeyId): KeyHandle | undefined => entryOf(keys, id)?.key

export const credentialOf = (keys: Keyring, { keyId }: Certificate): TlsCredential | undefined =>
  entryOf(keys, keyId)?.credential

/** Makes a certificate ready for TLS; a key that TLS cannot use says so when it is used. */
export const makeReady =
  (keys: Keyring, { certificate, pem }: CertificateChain): Task<void> =>
  async () => {
    const known = entryOf(keys, certificate.keyId)
    if (known === undefined || known.credential?.pem === pem) return
    const { key } = known
    const forTls = await key.forTls()
    put(keys, {
      key,
      credential: {
        certificate,
        pem,
        key: forTls._tag === 'Right' ? forTls.right : { _tag: 'NotUsableHere', reason: forTls.left.message },
      },
    })
  }

/** Nobody waits for it, or minds: a token that is slow, gone, or refuses holds up no renewal. */
const forget = (key: KeyHandle): void => {
  key.forget?.().catch(() => {})
}

/** Forgets every key but these. */
export const retain = (keys: Keyring, ids: ReadonlyArray<KeyId>): void => {
  const dropped = keys.entries.filter(({ key }) => !ids.includes(key.id))
  if (dropped.length === 0) return
  keys.entries = keys.entries.filter(({ key }) => ids.includes(key.id))
  for (const { key } of dropped) forget(key)
}

/** Forgets a key that came to nothing; not one that is kept. */
export const abandon = (keys: Keyring, key: KeyHandle): void => {
  if (keyOf(keys, key.id) === undefined) forget(key)
}
