/** Object identifiers of RFC 5280, RFC 2985 and RFC 4519; of signatures: RFC 5758, RFC 8017, RFC 8410 and RFC 9881. */
export const oid = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  ecdsaWith: {
    'SHA-256': '1.2.840.10045.4.3.2',
    'SHA-384': '1.2.840.10045.4.3.3',
    'SHA-512': '1.2.840.10045.4.3.4',
  },
  rsaWith: {
    'SHA-256': '1.2.840.113549.1.1.11',
    'SHA-384': '1.2.840.113549.1.1.12',
    'SHA-512': '1.2.840.113549.1.1.13',
  },
  rsaPss: '1.2.840.113549.1.1.10',
  ed25519: '1.3.101.112',
  mlDsa: {
    'ML-DSA-44': '2.16.840.1.101.3.4.3.17',
    'ML-DSA-65': '2.16.840.1.101.3.4.3.18',
    'ML-DSA-87': '2.16.840.1.101.3.4.3.19',
  },
} as const
