import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { decodeKubeconfig } from '../../../adapters/kubernetes/index.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('kubeconfig decoding')

const path = '/etc/agent/kubeconfig'

const document = (cluster: object, user: object, more: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [
      { name: 'there', context: { cluster: 'nowhere', user: 'nobody' } },
      { name: 'here', context: { cluster: 'c', user: 'u', namespace: 'default' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api:6443', ...cluster } }],
    users: [
      { name: 'other', user: { exec: { command: 'aws' } } },
      { name: 'u', user },
    ],
    ...more,
  })

const v1 = 'client.authentication.k8s.io/v1'

const exec = (more: object) => ({
  exec: { command: 'aws', apiVersion: v1, interactiveMode: 'Never', ...more },
})

const accepted = (text: string) => {
  const result = decodeKubeconfig(path, text)
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const refused = (text: string) => {
  const result = decodeKubeconfig(path, text)
  if (E.isRight(result)) throw new Error('it was accepted')
  assert.is(result.left._tag, 'NoCredential')
  assert.ok(result.left.remedy.length > 0)
  return result.left
}

test('reads the current context, and lets other users have what is not supported', () => {
  const { cluster, user } = accepted(
    document(
      {
        'certificate-authority': 'ca.crt',
        'tls-server-name': 'kubernetes',
        'proxy-url': 'http://proxy:3128',
      },
      { tokenFile: '/run/token', 'client-certificate': '../pki/a.crt', 'client-key': 'a.key' },
    ),
  )
  assert.is(cluster.server, 'https://api:6443')
  assert.equal(cluster.certificateAuthority, O.some({ _tag: 'File', path: '/etc/agent/ca.crt' }))
  assert.equal(cluster.tlsServerName, O.some('kubernetes'))
  assert.is(O.toUndefined(cluster.proxyUrl)?.reveal(), 'http://proxy:3128')
  assert.equal(user.tokenFile, O.some('/run/token'))
  assert.equal(user.clientCertificate, O.some({ _tag: 'File', path: '/etc/pki/a.crt' }))
  assert.equal(user.clientKey, O.some({ _tag: 'File', path: '/etc/agent/a.key' }))
})

test('reads YAML as kubectl writes it, and JSON indented by tabs', () => {
  const yaml = `
apiVersion: v1
kind: Config
preferences: {}
current-context: "1"
contexts:
- {name: "1", context: {cluster: c, user: u}}
clusters:
- name: c
  cluster: {server: "https://[::1]:6443/k8s/"}
users:
- name: u
  user:
    token: abc
    extensions: null
    exec: null
    as: ""
`
  assert.is(accepted(yaml).cluster.server, 'https://[::1]:6443/k8s')
  assert.is(O.toUndefined(accepted(yaml).user.token)?.reveal(), 'abc')
  accepted(JSON.stringify(JSON.parse(document({}, { token: 'a' })), null, '\t'))
})

test('tells of a field that is misspelt, and of the one that was meant', () => {
  const known = { apiVersion: 'client.authentication.k8s.io/v1beta1' }
  for (const [text, where, meant] of [
    [document({}, { tokken: 'a' }), 'users[1].user.tokken', 'token'],
    [document({ proxyurl: 'http://a' }, { token: 'a' }), 'cluster.proxyurl', 'proxy-url'],
    [document({}, { exec: { ...known, comand: 'aws' } }), 'users[1].user.exec.comand', 'command'],
    [
      document({}, { exec: { ...known, command: 'aws', env: [{ nam: 'A', value: 'b' }] } }),
      'users[1].user.exec.env[0].nam',
      'name',
    ],
  ] as const) {
    const { message, remedy } = refused(text)
    assert.match(message, `${where} is no field that is known here`)
    assert.is(remedy, `did you mean ${meant}?`)
  }
})

test('reads a credential plugin, and what it is to know of the cluster', () => {
  const config = { audience: 'a' }
  const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: config }]
  const { cluster, user } = accepted(
    document(
      { extensions },
      exec({
        args: ['get'],
        env: [{ name: 'A', value: 'b' }],
        provideClusterInfo: true,
        installHint: 'get it',
      }),
    ),
  )
  const plugin = O.toUndefined(user.plugin)
  assert.equal(plugin?.args, ['get'])
  assert.is(plugin?.env[0]?.value.reveal(), 'b')
  assert.is(plugin?.installHint, 'get it')
  assert.ok(plugin?.provideClusterInfo)
  assert.equal(cluster.pluginConfig, config)
  // The older version does without a mode.
  accepted(document({}, exec({ apiVersion: `${v1}beta1`, interactiveMode: null })))
})

test('says what replaces what is not supported', () => {
  assert.match(
    refused(document({}, { 'auth-provider': { name: 'gcp' } })).remedy,
    /use exec .*gke-gcloud-auth-plugin/,
  )
  assert.match(
    refused(document({}, { username: 'me', password: 'x' })).remedy,
    /dropped passwords in 1.19: use exec/,
  )
})

test('prefers data to a file', () => {
  const data = Buffer.from('PEM').toString('base64')
  const { cluster } = accepted(
    document({ 'certificate-authority': 'ca.crt', 'certificate-authority-data': data }, {}),
  )
  const authority = O.toUndefined(cluster.certificateAuthority)
  assert.is(authority?._tag === 'Data' && authority.content.reveal(), 'PEM')
})

for (const [what, text, place] of [
  ['a plugin without a command', document({}, { exec: { apiVersion: v1 } }), 'exec.command is missing'],
  ['a plugin without a version', document({}, exec({ apiVersion: '' })), 'exec.apiVersion is missing'],
  ['a plugin of old', document({}, exec({ apiVersion: `${v1}alpha1` })), 'exec.apiVersion is not supported'],
  [
    'a plugin that does not say',
    document({}, exec({ interactiveMode: '' })),
    'exec.interactiveMode is missing',
  ],
  ['a plugin that asks', document({}, exec({ interactiveMode: 'Always' })), 'no terminal to ask anybody'],
  ['a mode that is none', document({}, exec({ interactiveMode: 'never' })), 'is neither Never, IfAvailable'],
  ['a variable without a name', document({}, exec({ env: [{ value: 'x' }] })), 'exec.env[0].name is missing'],
  ['a number as an argument', document({}, exec({ args: ['a', 7] })), 'exec.args[1] must be text'],
  ['an auth provider', document({}, { 'auth-provider': { name: 'gcp' } }), 'users[1].user.auth-provider'],
  ['a user name', document({}, { username: 'me' }), 'users[1].user.username'],
  ['impersonation', document({}, { token: 'a', as: 'admin' }), 'users[1].user.as '],
  ['impersonation of groups', document({}, { token: 'a', 'as-groups': ['x'] }), 'users[1].user.as-groups'],
  ['a field of a user that is not known', document({}, { tokn: 'a' }), 'users[1].user.tokn'],
  [
    'a field of a cluster that is not known',
    document({ 'server-name': 'a' }, {}),
    'clusters[0].cluster.server-name',
  ],
  [
    'a server without TLS',
    document({ server: 'http://api:8080' }, {}),
    'clusters[0].cluster.server is not https',
  ],
  ['a server without a scheme', document({ server: 'api' }, {}), 'clusters[0].cluster.server is no URL'],
  ['no server', document({ server: null }, {}), 'clusters[0].cluster.server is missing'],
  ['a password in the server', document({ server: 'https://u:p@api' }, {}), 'clusters[0].cluster.server'],
  ['a token that is a number', document({}, { token: 12345678 }), 'users[1].user.token must be text'],
  [
    'data that is not base64',
    document({}, { 'client-key-data': '-----BEGIN' }),
    'users[1].user.client-key-data',
  ],
  ['no current context', document({}, {}, { 'current-context': '' }), 'current-context is missing'],
  ['a context that is not there', document({}, {}, { 'current-context': 'x' }), 'current-context is "x"'],
  ['a user that is not there', document({}, {}, { users: [] }), 'contexts[1].context.user is "u"'],
  ['two users of one name', document({}, {}, { users: [{ name: 'u' }, { name: 'u' }] }), 'users[1]'],
  ['a list that is none', document({}, {}, { users: 'u' }), 'users must be a list'],
  ['another kind of object', document({}, {}, { kind: 'Pod' }), 'kind is not Config'],
  ['another version', document({}, {}, { apiVersion: 'v2' }), 'apiVersion is not v1'],
  [
    'a CA that is not to be asked',
    document({ 'insecure-skip-tls-verify': true, 'certificate-authority': 'ca.crt' }, {}),
    'clusters[0].cluster.insecure-skip-tls-verify',
  ],
  ['an empty file', '', 'is empty'],
  ['text of another kind', 'some text', 'kubeconfig: it must be a mapping of fields'],
  ['a list at the top', '[]', 'it '],
  ['a key that is there twice', 'kind: Config\nkind: Config\n', 'has a key twice, in line 2'],
] as const)
  test(`refuses ${what}, and names the place`, () => {
    assert.match(refused(text).message, place)
    assert.match(refused(text).message, path)
  })

test('tells the line of broken YAML and nothing of its text', () => {
  const { message } = refused('kind: Config\nusers:\n- token: "hunter2\n')
  assert.match(message, /line [34]/)
  assert.not.match(message, 'hunter2')
})

test('shows no secret when it is printed', async () => {
  const { inspect } = await import('node:util')
  const user = { token: 'hunter2', 'client-key-data': 'aHVudGVyMg==' }
  const printed = inspect(accepted(document({ 'proxy-url': 'http://u:hunter2@p' }, user)), { depth: 9 })
  assert.not.match(printed, /hunter2|aHVudGVyMg/)
  assert.not.match(refused(document({}, { ...user, 'client-key': 1 })).message, /hunter2|aHVudGVyMg/)
})

test('refuses aliases that multiply, and nesting without end', () => {
  let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n'
  for (let i = 1; i < 12; i += 1)
    bomb += `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(',')}]\n`
  refused(bomb)
  refused('['.repeat(50_000))
  refused('- '.repeat(50_000))
})
