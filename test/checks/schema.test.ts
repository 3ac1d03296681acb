import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { configuration } from '../../adapters/command-line/config.js'
import { assert, suite } from '../helper/index.js'
import { configSchema, schemaFinding } from './schema.js'

const test = suite('schema of the configuration')

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
const accepts = ajv.compile(configSchema)

test('is the one that is published', () => {
  assert.is(schemaFinding(), undefined)
})

/** Values of which each is right for some field and wrong for others. */
const words = [
  ...['', 'a', 'worker-1', 'Worker_1', '/etc/x', 'a\0b', 'kube-cert-rotation/v1', 'RotationConfiguration'],
  ...[
    'json',
    'text',
    'debug',
    'HUP:/run/x',
    ':9090',
    '0',
    '10m',
    '1.5h',
    '10',
    '-1s',
    '0640',
    '640',
    '0999',
    '0:33',
    'root:root',
  ],
  ...['node', 'interfaces', 'interfaces=eth0,eth1', 'interfaces=', '10.0.0.5', 'fd00::1', 'a b', 'a\n'],
  ...[
    'ECDSA-P256',
    'ecdsa-p256',
    'RSA-2048',
    'client auth',
    'clients',
    'ns/name',
    'NS/name',
    'example.com/x',
  ],
]
const scalar = fc.oneof(
  fc.constantFrom<unknown>(...words),
  fc.constantFrom<unknown>(true, false, null, 0, 640, 1.5),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b'), scalar, { maxKeys: 2 }),
)

const pool: ReadonlyArray<unknown> = [
  ...words,
  ...[true, false, null, 0, [], {}, ['a'], ['node', '10.0.0.5'], ['client auth'], { a: 'b' }, { a: 1 }],
]

const at = (...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (schema, name) => (typeof schema === 'object' && schema !== null ? Reflect.get(schema, name) : undefined),
    configSchema,
  )

/** A mapping with a few of the fields, most with a right value, and now and then one that there is none of. */
const some = (...path: ReadonlyArray<string>) => {
  const properties = Object.entries(at(...path, 'properties') ?? {})
  const pair = ([name, schema]: [string, object]): fc.Arbitrary<[string, unknown]> => {
    const fits = ajv.compile(schema)
    const right = pool.filter((one) => fits(one))
    assert.ok(right.length > 0 || ['certificates', 'afterRenewal'].includes(name), `no value fits ${name}`)
    return fc.tuple(
      fc.constant(name),
      right.length === 0
        ? value
        : fc.oneof({ weight: 14, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: value }),
    )
  }
  return fc
    .array(
      fc.oneof(
        { weight: 30, arbitrary: fc.oneof(...properties.map(pair)) },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom('strange', 'certdir'), value) },
      ),
      { maxLength: 4 },
    )
    .map((pairs): Readonly<Record<string, unknown>> => Object.fromEntries(pairs))
}

const items = ['properties', 'certificates', 'items']
const entry = fc
  .tuple(
    some(...items),
    fc.array(some(...items, 'properties', 'outputs', 'items'), { maxLength: 1 }),
    fc.array(some(...items, 'properties', 'afterRenewal', 'items'), { maxLength: 1 }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([given, outputs, afterRenewal, chance]) => ({
    outputs,
    afterRenewal,
    ...given,
    ...(chance === 0 ? {} : { name: 'a' }),
  }))
const document = fc
  .tuple(fc.array(entry, { maxLength: 2 }), some(), fc.integer({ min: 0, max: 9 }))
  .map(([certificates, given, chance]) => ({
    apiVersion: 'kube-cert-rotation/v1',
    kind: 'RotationConfiguration',
    certificates,
    ...(chance === 0 ? given : {}),
  }))

test('accepts what the codec accepts, and nothing else', () => {
  const seen = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: document }, value), (given) => {
      const isRead = E.isRight(configuration.decode(given))
      seen[isRead ? 'accepted' : 'refused'] += 1
      assert.is(accepts(given), isRead, JSON.stringify({ given, problems: accepts.errors }))
    }),
    { numRuns: 1_000 },
  )
  assert.ok(seen.accepted > 100 && seen.refused > 100, JSON.stringify(seen))
})
