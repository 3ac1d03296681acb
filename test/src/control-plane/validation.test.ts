import * as E from 'fp-ts/lib/Either.js'
import { creationErrors, inOneLine, type RequestToValidate } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'
import { clientUsages } from './samples.js'

const test = suite('validation')

const good: RequestToValidate = {
  name: 'csr-1',
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: clientUsages,
  expirationSeconds: 600,
  request: E.right(undefined),
}

const said = (change: Partial<RequestToValidate>): string => inOneLine(creationErrors({ ...good, ...change }))

test('finds nothing wrong with a kubelet request', () => {
  assert.equal(creationErrors(good), [])
  assert.equal(creationErrors({ ...good, expirationSeconds: undefined }), [])
  assert.is(inOneLine([]), '')
})

const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
const cases: ReadonlyArray<readonly [string, Partial<RequestToValidate>, string | RegExp]> = [
  ['wants a name', { name: '' }, 'metadata.name: Required value: name or generateName is required'],
  ['refuses the name .', { name: '.' }, 'metadata.name: Invalid value: ".": may not be \'.\''],
  ['refuses the name ..', { name: '..' }, 'metadata.name: Invalid value: "..": may not be \'..\''],
  ['refuses / in a name', { name: 'a/b' }, 'metadata.name: Invalid value: "a/b": may not contain \'/\''],
  ['refuses % in a name', { name: 'a%b' }, 'metadata.name: Invalid value: "a%b": may not contain \'%\''],
  [
    'says what is wrong with the PKCS#10 request',
    { request: E.left('PEM block type must be CERTIFICATE REQUEST') },
    'spec.request: Invalid value: "<certificate request data>": PEM block type must be CERTIFICATE REQUEST',
  ],
  ['wants usages', { usages: [] }, 'spec.usages: Required value'],
  [
    'refuses a usage it does not know, and lists those it does',
    { usages: ['client auth', 'flying'] },
    /^spec\.usages\[1\]: Unsupported value: "flying": supported values: "any", "cert sign", .*"timestamping"$/,
  ],
  [
    'refuses a usage given twice',
    { usages: ['client auth', 'client auth'] },
    'spec.usages[1]: Duplicate value: "client auth"',
  ],
  [
    'refuses an expiration under ten minutes',
    { expirationSeconds: 599 },
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
  ],
  ['wants a signer', { signerName: '' }, 'spec.signerName: Required value'],
  [
    'refuses the legacy signer',
    { signerName: 'kubernetes.io/legacy-unknown' },
    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
  ],
  [
    'refuses a signer without a path',
    { signerName: 'example.com' },
    `spec.signerName: Invalid value: "example.com": ${form}`,
  ],
  [
    'refuses a signer with two slashes',
    { signerName: 'example.com/a/b' },
    `spec.signerName: Invalid value: "example.com/a/b": ${form}`,
  ],
  [
    'refuses a signer whose domain is no domain',
    { signerName: 'Example.com/a' },
    'spec.signerName: Invalid value: "Example.com": must be a lowercase RFC 1123 subdomain',
  ],
  [
    'refuses a signer whose domain has one label',
    { signerName: 'example/a' },
    'spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots',
  ],
  [
    'refuses a signer with an odd path',
    { signerName: 'example.com/a!' },
    'spec.signerName: Invalid value: "example.com/a!": the part after the slash must be a path of labels',
  ],
  [
    'refuses an endless domain',
    { signerName: `${'a.'.repeat(130)}com/a` },
    'spec.signerName: Too long: may not be more than 253 bytes',
  ],
  [
    'refuses an endless signer',
    { signerName: `example.com/${'a'.repeat(600)}` },
    'spec.signerName: Too long: may not be more than 571 bytes',
  ],
  [
    'says everything at once',
    { usages: [], signerName: '' },
    '[spec.usages: Required value, spec.signerName: Required value]',
  ],
]
for (const [sentence, change, expected] of cases) {
  test(sentence, () => {
    if (typeof expected === 'string') assert.is(said(change), expected)
    else assert.match(said(change), expected)
  })
}
