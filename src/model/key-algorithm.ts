import * as t from 'io-ts'

/**
 * The codec of a kind of private key, by the names of the kubelet's `clientCertificateKeyAlgorithm` (Kubernetes 1.38);
 * `ECDSA-P521` and `Ed25519` are ours.
 */
export const KeyAlgorithm = t.keyof({
  'ECDSA-P256': null,
  'ECDSA-P384': null,
  'ECDSA-P521': null,
  'RSA-2048': null,
  'RSA-3072': null,
  'RSA-4096': null,
  'ML-DSA-44': null,
  'ML-DSA-65': null,
  'ML-DSA-87': null,
  Ed25519: null,
})
export type KeyAlgorithm = t.TypeOf<typeof KeyAlgorithm>

/** All kinds of keys there are. */
export const keyAlgorithms: ReadonlyArray<KeyAlgorithm> = Object.keys(KeyAlgorithm.keys).filter(
  KeyAlgorithm.is,
)

/** The kubelet's own. */
export const defaultKeyAlgorithm: KeyAlgorithm = 'ECDSA-P256'
