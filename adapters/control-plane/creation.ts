import { randomBytes, randomUUID } from 'node:crypto'
import { type Instant, rfc3339, wholeSecond } from '../../src/model/time.js'
import type { Caller } from './authentication.js'
import type { IncomingRequest } from './incoming.js'
import type { Content, Metadata } from './signing-request.js'

/** `generateName` is cut to 58 characters and gets 5 more (apiserver/pkg/storage/names/generate.go). */
const generatedName = (prefix: string): string =>
  `${prefix.slice(0, 58)}${[...randomBytes(5)].map((byte) => 'bcdfghjklmnpqrstvwxz2456789'[byte % 27]).join('')}`

/** A new object of what was sent: everything else is the server's to fill in. */
export const newContent = ({ metadata, spec }: IncomingRequest, caller: Caller, now: Instant): Content => {
  const generateName = metadata?.generateName ?? ''
  const name = metadata?.name ?? ''
  const { expirationSeconds } = spec ?? {}
  return {
    metadata: {
      name: name === '' && generateName !== '' ? generatedName(generateName) : name,
      ...(generateName === '' ? {} : { generateName }),
      uid: randomUUID(),
      creationTimestamp: rfc3339(wholeSecond(now)),
      ...labelling(metadata),
    },
    spec: {
      request: spec?.request ?? '',
      signerName: spec?.signerName ?? '',
      ...(expirationSeconds === undefined || expirationSeconds === null ? {} : { expirationSeconds }),
      usages: spec?.usages ?? [],
      username: caller.name,
      groups: caller.groups,
      ...(caller.extra === undefined ? {} : { extra: caller.extra }),
    },
    status: { conditions: [], certificate: '' },
  }
}

/** The labels and annotations that were sent. */
export const labelling = (
  metadata: IncomingRequest['metadata'],
): Pick<Metadata, 'labels' | 'annotations'> => ({
  ...(isEmpty(metadata?.labels) ? {} : { labels: metadata?.labels ?? {} }),
  ...(isEmpty(metadata?.annotations) ? {} : { annotations: metadata?.annotations ?? {} }),
})

const isEmpty = (record: object | null | undefined): boolean => Object.keys(record ?? {}).length === 0
