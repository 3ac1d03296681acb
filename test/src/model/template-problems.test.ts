import { clientTemplate, kubeletClientTemplate } from '../../../src/model/template.js'
import {
  dnsNameProblem,
  type GivenTemplate,
  isSignerName,
  templateProblems,
} from '../../../src/model/template-problems.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('what cannot be asked for')

const told = (differences: GivenTemplate): ReadonlyArray<string> =>
  templateProblems({ ...clientTemplate('agent', []), ...differences }).map(
    ({ field, message, remedy }) => `${field}${message}; ${remedy}`,
  )

test('is nothing of a template that Kubernetes takes', () => {
  assert.equal(templateProblems(kubeletClientTemplate('worker-1')), [])
  const longest = `${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(61)
  assert.is(longest.length, 253)
  assert.equal(
    told({
      // Names of nodes are longer than the 64 characters of X.520.
      commonName: `system:node:${longest}`,
      organizations: ['Example, Inc.'],
      dnsNames: ['a', '*.example.com', 'xn--mnchen-3ya.de', 'A.Example', '1.2', longest],
      ipAddresses: ['10.0.0.5', 'fd00::1'],
      uris: [
        'spiffe://example.com/agent',
        'urn:uuid:5f0c1d6a',
        'https://u:p@[::1]:8443/a%20b?c#d',
        'mailto:a@b.c',
      ],
      usages: ['client auth', 'server auth'],
      expirationSeconds: 600,
    }),
    [],
  )
})

test('is a name that no certificate can have, with what to write instead', () => {
  for (const [name, problem] of [
    ['a..b', /is no DNS name; write letters/],
    ['*.*.x', /is no DNS name/],
    ['a.*', /is no DNS name/],
    ['*', /is no DNS name/],
    ['.a', /is no DNS name/],
    ['a.', /is no DNS name/],
    ['-a', /is no DNS name/],
    ['bad_name', /is no DNS name/],
    ['a b', /is no DNS name/],
    [`${'a'.repeat(64)}.b`, /is no DNS name/],
    ['a.'.repeat(127), /has 254 characters; a DNS name has 253 at most/],
    ['host:10250', /is no DNS name; leave out the port/],
    ['münchen.de', /is not ASCII; write it in punycode: xn--/],
  ] as const) {
    const { message = '', remedy = '' } = dnsNameProblem(name) ?? {}
    assert.match(`${message}; ${remedy}`, problem, name)
    assert.is(told({ dnsNames: ['ok', name] }).length, 1)
  }
  for (const uri of [
    'http://[',
    'notauri',
    'http://a b',
    'spiffe:',
    'x:%zz',
    'http://a:b/',
    'http://ü',
    '//a',
    'x:[1]',
  ])
    assert.equal(told({ uris: [uri] }), [
      `uris: ${uri} is no URI; write it with its scheme, in ASCII: spiffe://example.com/agent`,
    ])
  assert.match(told({ ipAddresses: ['1.2.3', '::1'] }).join(), /^ipAddresses: 1.2.3 is no IP address;/)
})

test('is what the API server refuses', () => {
  for (const name of [
    'foo',
    'foo/bar',
    'a.b/c/d',
    'a.b/',
    'A.b/c',
    'a.b/c d',
    '/x',
    `a.${'b'.repeat(252)}/c`,
    `a.b/${'c'.repeat(568)}`,
  ])
    assert.is(isSignerName(name), false, name)
  assert.is(isSignerName('example.com/My_signer.v1'), true)
  assert.match(told({ signerName: 'foo' }).join(), /^signerName=foo is none; write it like example.com\/name/)
  assert.match(told({ usages: [] }).join(), /^usages must not be empty/)
  assert.match(told({ usages: ['client auth', 'client auth'] }).join(), /^usages: client auth is there twice/)
  const [unknown] = templateProblems({ ...clientTemplate('a', []), usages: ['client-auth'] })
  assert.match(unknown?.message ?? '', 'client-auth is no usage')
  assert.is(unknown?.unknown?.word, 'client-auth')
  assert.ok(unknown?.unknown?.known.includes('client auth'))
  for (const seconds of [5, 600.5, '600', Number.NaN, 2 ** 31])
    assert.match(told({ expirationSeconds: seconds }).join(), /^expirationSeconds of .* is not accepted/)
})

test('is what is of another type', () => {
  assert.equal(
    templateProblems({ signerName: 7 }).map(({ field, message }) => `${field}${message}`),
    [
      'commonName must be text',
      'organizations must be a list',
      'dnsNames must be a list',
      'ipAddresses must be a list',
      'uris must be a list',
      'usages must be a list',
      'signerName must be text',
    ],
  )
  assert.match(
    told({ organizations: 'system:masters' }).join(),
    /^organizations must be a list; write a list/,
  )
  assert.match(
    told({ organizations: [7] }).join(),
    /^organizations must be a list of texts that are not empty/,
  )
  assert.match(told({ dnsNames: [''] }).join(), /^dnsNames must be a list of texts that are not empty/)
})
