/**
 * The declarations of pkijs name the Web Cryptography API's types as a browser's compiler knows them. Here they are
 * Node's; the DOM library would bring `window` and `document` into code that has none.
 */
type AesCbcParams = import('node:crypto').webcrypto.AesCbcParams
type AesCtrParams = import('node:crypto').webcrypto.AesCtrParams
type AesDerivedKeyParams = import('node:crypto').webcrypto.AesDerivedKeyParams
type AesGcmParams = import('node:crypto').webcrypto.AesGcmParams
type AesKeyAlgorithm = import('node:crypto').webcrypto.AesKeyAlgorithm
type AesKeyGenParams = import('node:crypto').webcrypto.AesKeyGenParams
type Algorithm = import('node:crypto').webcrypto.Algorithm
type AlgorithmIdentifier = import('node:crypto').webcrypto.AlgorithmIdentifier
type BufferSource = import('node:crypto').webcrypto.BufferSource
type Crypto = import('node:crypto').webcrypto.Crypto
type CryptoKey = import('node:crypto').webcrypto.CryptoKey
type CryptoKeyPair = import('node:crypto').webcrypto.CryptoKeyPair
type EcdhKeyDeriveParams = import('node:crypto').webcrypto.EcdhKeyDeriveParams
type EcdsaParams = import('node:crypto').webcrypto.EcdsaParams
type EcKeyGenParams = import('node:crypto').webcrypto.EcKeyGenParams
type EcKeyImportParams = import('node:crypto').webcrypto.EcKeyImportParams
type HkdfParams = import('node:crypto').webcrypto.HkdfParams
type HmacImportParams = import('node:crypto').webcrypto.HmacImportParams
type HmacKeyGenParams = import('node:crypto').webcrypto.HmacKeyGenParams
type JsonWebKey = import('node:crypto').webcrypto.JsonWebKey
type KeyFormat = import('node:crypto').webcrypto.KeyFormat
type KeyUsage = import('node:crypto').webcrypto.KeyUsage
type Pbkdf2Params = import('node:crypto').webcrypto.Pbkdf2Params
type RsaHashedImportParams = import('node:crypto').webcrypto.RsaHashedImportParams
type RsaHashedKeyGenParams = import('node:crypto').webcrypto.RsaHashedKeyGenParams
type RsaOaepParams = import('node:crypto').webcrypto.RsaOaepParams
type RsaPssParams = import('node:crypto').webcrypto.RsaPssParams
type SubtleCrypto = import('node:crypto').webcrypto.SubtleCrypto
