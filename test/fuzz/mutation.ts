import fc from 'fast-check'

/** A change to some bytes: where (a part of their length), how far, and what. */
interface Change {
  readonly kind: 'set' | 'flip' | 'delete' | 'repeat' | 'insert' | 'truncate' | 'swap'
  readonly at: number
  readonly size: number
  readonly byte: number
  readonly text: string
}

/** What parsers stumble over. */
const provocations = [
  '-----BEGIN CERTIFICATE-----\n',
  '-----END CERTIFICATE-----\n',
  '-----BEGIN EC PRIVATE KEY-----\n',
  '\0',
  '\r\n',
  '"',
  '{',
  '[[[[[[[[',
  '}',
  '\u202e',
  '\u001b[2J',
  '&a [*a]',
  '*a',
  '<<: *a',
  '!!binary ',
  '? ',
  'null',
  '-1',
  '1e999',
  '9007199254740993',
  '__proto__',
  ' '.repeat(500),
  'é'.repeat(200),
  '0\x80\x80',
  '0\x84\xff\xff\xff\xff',
]

export const changes: fc.Arbitrary<ReadonlyArray<Change>> = fc.array(
  fc.record({
    kind: fc.constantFrom('set', 'flip', 'delete', 'repeat', 'insert', 'truncate', 'swap'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 64 }),
    byte: fc.integer({ min: 0, max: 255 }),
    text: fc.constantFrom(...provocations),
  }),
  { minLength: 1, maxLength: 5 },
)

/** The bytes with the changes made, one after the other. */
export const mutated = (material: Buffer, list: ReadonlyArray<Change>): Buffer =>
  list.reduce<Buffer>(change, material)

const change = (bytes: Buffer, { kind, at, size, byte, text }: Change): Buffer => {
  const from = Math.floor(at * bytes.length)
  const [before, some, after] = [
    bytes.subarray(0, from),
    bytes.subarray(from, from + size),
    bytes.subarray(from + size),
  ]
  switch (kind) {
    case 'set':
      return Buffer.concat([before, Buffer.alloc(some.length > 0 ? 1 : 0, byte), bytes.subarray(from + 1)])
    case 'flip':
      return Buffer.concat([
        before,
        Buffer.from(some.map((one, index) => (index === 0 ? one ^ (1 << (byte % 8)) : one))),
        after,
      ])
    case 'delete':
      return Buffer.concat([before, after])
    case 'repeat':
      return Buffer.concat([before, ...new Array<Buffer>(1 + (byte % 20)).fill(some), after])
    case 'insert':
      return Buffer.concat([before, Buffer.from(text, 'latin1'), some, after])
    case 'truncate':
      return Buffer.from(before)
    case 'swap':
      return Buffer.concat([before, after.subarray(0, size), some, after.subarray(size)])
  }
}

/** One of the materials, mutated. */
export const mutants = (...materials: ReadonlyArray<Buffer | string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...materials.map((one) => Buffer.from(one))), changes)
    .map(([material, list]) => mutated(material, list))
