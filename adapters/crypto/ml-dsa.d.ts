/** Node.js 24.6 and later, with OpenSSL 3.5; the types in use are those of Node.js 20. */
import type { KeyObject } from 'node:crypto'

declare module 'node:crypto' {
  export function generateKeyPair(
    type: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87',
    options: Readonly<Record<string, never>>,
    callback: (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => void,
  ): void
}
