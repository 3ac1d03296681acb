import { type ServingPolicy, type ServingRequest, servingVerdict } from '../../../src/control-plane/index.js'
import { assert, suite } from '../../helper/index.js'
import { servingUsages, workerNames } from './samples.js'

const test = suite('approval of serving certificates')

const policy: ServingPolicy = {
  nodes: [
    {
      name: 'worker-1',
      addresses: ['10.0.0.5', '10.1.0.0/16', 'fd00::/8', '.example.com', '10.96.0.9'],
    },
  ],
  reserved: ['api.example.com', '10.96.0.0/12', '127.0.0.1'],
}
const good: ServingRequest = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: servingUsages,
  username: 'system:node:worker-1',
  groups: ['system:nodes', 'system:authenticated'],
  names: {
    ...workerNames,
    dnsNames: ['worker-1', 'a.EXAMPLE.com'],
    ipAddresses: ['10.0.0.5', '10.1.255.1', 'fdab::1'],
  },
}
const named = (names: Partial<ServingRequest['names']>): Partial<ServingRequest> => ({
  names: { ...good.names, ...names },
})

const cases: ReadonlyArray<readonly [string, Partial<ServingRequest>, string]> = [
  ['approves what is declared, in ranges and below domains too', {}, 'Approve DeclaredAddresses'],
  ['has no opinion on another signer', { signerName: 'example.com/a' }, 'NoOpinion OtherSigner'],
  ['denies who is no node', { groups: ['system:authenticated'] }, 'Deny NotANode'],
  ['denies a node that asks for another', { username: 'system:node:worker-2' }, 'Deny OtherSubject'],
  ['denies what is no serving certificate', { usages: ['client auth'] }, 'Deny NotAServingCertificate'],
  [
    'denies a certificate without names',
    named({ dnsNames: [], ipAddresses: [] }),
    'Deny NotAServingCertificate',
  ],
  [
    'has no opinion on a node that nothing is declared about',
    { username: 'system:node:b', ...named({ commonName: 'system:node:b' }) },
    'NoOpinion NodeNotDeclared',
  ],
  ['denies an address outside', named({ ipAddresses: ['10.2.0.1'] }), 'Deny NotItsAddress 10.2.0.1'],
  [
    'denies an address of the other family',
    named({ ipAddresses: ['::ffff:0:1'] }),
    'Deny NotItsAddress ::ffff:0:1',
  ],
  ['denies a name outside', named({ dnsNames: ['b.example.org'] }), 'Deny NotItsAddress b.example.org'],
  ['denies the domain itself', named({ dnsNames: ['.example.com'] }), 'Deny NotItsAddress .example.com'],
  [
    'denies what only ends like a domain',
    named({ dnsNames: ['badexample.com'] }),
    'Deny NotItsAddress badexample.com',
  ],
  [
    'denies the API server, although declared',
    named({ dnsNames: ['api.example.com'] }),
    'Deny ReservedName api.example.com',
  ],
  [
    'denies a service address, although declared',
    named({ ipAddresses: ['10.96.0.9'] }),
    'Deny ReservedName 10.96.0.9',
  ],
  [
    'denies names of services',
    named({ dnsNames: ['kubernetes.default'] }),
    'Deny ReservedName kubernetes.default',
  ],
  ['denies names of services', named({ dnsNames: ['a.b.svc'] }), 'Deny ReservedName a.b.svc'],
  ['denies names of services', named({ dnsNames: ['a.cluster.local'] }), 'Deny ReservedName a.cluster.local'],
  ['denies every host', named({ dnsNames: ['localhost'] }), 'Deny ReservedName localhost'],
  ['denies wildcards', named({ dnsNames: ['*.example.com'] }), 'Deny ReservedName *.example.com'],
]
for (const [sentence, differences, expected] of cases)
  test(`${sentence} (${expected})`, () => {
    const { _tag, reason, message } = servingVerdict(policy, { ...good, ...differences })
    const [tag, word, san = ''] = expected.split(' ')
    assert.equal([_tag, reason], [tag, word])
    assert.match(message, san)
    assert.ok(message.length > 10)
  })

test('has no opinion where no node is declared', () => {
  const verdict = servingVerdict({ nodes: [], reserved: [] }, { ...good, groups: [] })
  assert.equal([verdict._tag, verdict.reason], ['NoOpinion', 'NothingDeclared'])
})

test('reads a range that is none as nothing', () => {
  const nodes = [{ name: 'worker-1', addresses: ['worker/8', '10.0.0.0/', '10.0.0.0/x', '10.0.0.0/8/8'] }]
  const verdict = servingVerdict({ nodes, reserved: [] }, { ...good, ...named({ dnsNames: [] }) })
  assert.is(verdict.reason, 'NotItsAddress')
})
