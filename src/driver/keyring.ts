import type { Task } from 'fp-ts/lib/Task.js'
import type { Certificate, CertificateChain, KeyId } from '../model/certificate.js'
import type { KeyHandle, TlsCredential } from '../ports.js'

/** The private keys in use, by their ids, and what TLS needs of those that have a certificate. */
export interface Keyring {
  readonly keep: (key: KeyHandle) => void
  readonly key: (id: KeyId) => KeyHandle | undefined
  /** Makes a certificate ready for TLS; a key that TLS cannot use says so when it is used. */
  readonly makeReady: (chain: CertificateChain) => Task<void>
  readonly credential: (certificate: Certificate) => TlsCredential | undefined
  /** Forgets every key but these. */
  readonly retain: (ids: ReadonlyArray<KeyId>) => void
  /** Forgets a key that came to nothing; not one that is kept. */
  readonly abandon: (key: KeyHandle) => void
}

/** Nobody waits for it: a token that is slow, or gone, holds up no renewal. */
const forget = (key: KeyHandle): void => {
  void key.forget?.()
}

export const keyring = (): Keyring => {
  const keys = new Map<KeyId, { readonly key: KeyHandle; readonly credential?: TlsCredential }>()
  return {
    keep: (key) => {
      keys.set(key.id, { ...keys.get(key.id), key })
    },
    key: (id) => keys.get(id)?.key,
    makeReady: (chain) => async () => {
      const { keyId } = chain.certificate
      const known = keys.get(keyId)
      if (known === undefined || known.credential?.pem === chain.pem) return
      const { key } = known
      const forTls = await key.forTls()
      const credential: TlsCredential = {
        certificate: chain.certificate,
        pem: chain.pem,
        key: forTls._tag === 'Right' ? forTls.right : { _tag: 'NotUsableHere', reason: forTls.left.message },
      }
      keys.set(keyId, { key, credential })
    },
    credential: ({ keyId }) => keys.get(keyId)?.credential,
    retain: (ids) => {
      for (const [id, { key }] of [...keys].filter(([known]) => !ids.includes(known))) {
        keys.delete(id)
        forget(key)
      }
    },
    abandon: (key) => {
      if (!keys.has(key.id)) forget(key)
    },
  }
}
