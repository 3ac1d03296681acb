import type { TrustAnchors } from '../../src/ports.js'
import { type Check, ensure, refused, worked } from './check.js'

/** CAs that can be read, and the same ones while they cannot have been read yet. */
export interface TrustSubject {
  readonly readable: TrustAnchors
  readonly unreadable: TrustAnchors
}

/** What all that certificates are compared with do. */
export const trustContract = ({ readable, unreadable }: TrustSubject): ReadonlyArray<Check> => [
  {
    name: 'CAs are read, as often as they are asked for, and say where they are from',
    run: async () => {
      for (let count = 0; count < 2; count += 1) {
        const found = await worked('read', readable.read)
        ensure(found._tag === 'Some' && found.value.includes('BEGIN CERTIFICATE'), 'there are none')
      }
      ensure(readable.source !== '', 'it does not say where they are from')
    },
  },
  {
    name: 'CAs that cannot be read are TrustUnusable, and nothing is thrown',
    run: async () => {
      const tag = await refused('read', unreadable.read)
      ensure(tag === 'TrustUnusable', `the error is ${tag}`)
    },
  },
]
