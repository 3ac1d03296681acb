/**
 * The usages that `spec.usages` may name (`KeyUsage` in k8s.io/api/certificates/v1/types.go), in alphabetical order as
 * error messages list them.
 */
export const knownUsages: ReadonlyArray<string> = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
