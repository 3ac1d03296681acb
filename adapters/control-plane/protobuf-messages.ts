/** The messages that are read here. The field numbers are those of the `generated.proto` files under staging/src/k8s.io. */

export type Kind = 'string' | 'bytes' | 'integer' | 'time' | 'map' | Message

export interface Field {
  readonly name: string
  readonly kind: Kind
  readonly repeated?: true
}

export type Message = ReadonlyMap<number, Field>

const message = (fields: Readonly<Record<number, Field>>): Message =>
  new Map(Object.entries(fields).map(([number, field]) => [Number(number), field]))

const text = (name: string): Field => ({ name, kind: 'string' })
const texts = (name: string): Field => ({ name, kind: 'string', repeated: true })

const objectMeta = message({
  1: text('name'),
  2: text('generateName'),
  5: text('uid'),
  6: text('resourceVersion'),
  11: { name: 'labels', kind: 'map' },
  12: { name: 'annotations', kind: 'map' },
})
const metadata: Field = { name: 'metadata', kind: objectMeta }

const condition = message({
  1: text('type'),
  2: text('reason'),
  3: text('message'),
  4: { name: 'lastUpdateTime', kind: 'time' },
  5: { name: 'lastTransitionTime', kind: 'time' },
  6: text('status'),
})

const signingRequest = message({
  1: metadata,
  2: {
    name: 'spec',
    kind: message({
      1: { name: 'request', kind: 'bytes' },
      5: texts('usages'),
      7: text('signerName'),
      8: { name: 'expirationSeconds', kind: 'integer' },
    }),
  },
  3: {
    name: 'status',
    kind: message({
      1: { name: 'conditions', kind: condition, repeated: true },
      2: { name: 'certificate', kind: 'bytes' },
    }),
  },
})

const accessReview = message({
  1: metadata,
  2: {
    name: 'spec',
    kind: message({
      1: {
        name: 'resourceAttributes',
        kind: message({
          1: text('namespace'),
          2: text('verb'),
          3: text('group'),
          4: text('version'),
          5: text('resource'),
          6: text('subresource'),
          7: text('name'),
        }),
      },
      2: { name: 'nonResourceAttributes', kind: message({ 1: text('path'), 2: text('verb') }) },
    }),
  },
})

const deleteOptions = message({
  2: { name: 'preconditions', kind: message({ 1: text('uid'), 2: text('resourceVersion') }) },
})

/** By the kind that the envelope names. */
export const kinds: ReadonlyMap<string, Message> = new Map([
  ['CertificateSigningRequest', signingRequest],
  ['SelfSubjectAccessReview', accessReview],
  ['SelfSubjectReview', message({ 1: metadata })],
  ['DeleteOptions', deleteOptions],
])

/** `runtime.Unknown`: the envelope. */
export const unknown = message({
  1: { name: 'typeMeta', kind: message({ 1: text('apiVersion'), 2: text('kind') }) },
  2: { name: 'raw', kind: 'bytes' },
})

export const mapEntry = message({ 1: text('key'), 2: text('value') })
export const timestamp = message({ 1: { name: 'seconds', kind: 'integer' } })
