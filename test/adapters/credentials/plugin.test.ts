import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { secret } from '../../../src/model/secret.js'
import { instant, minute } from '../../../src/model/time.js'
import type { Credentials } from '../../../src/ports.js'
import { interruption } from '../../../src/signal.js'
import { assert, eventually, suite } from '../../helper/index.js'
import { never, succeeds } from '../kubernetes/fixture.js'
import { authority } from '../kubernetes/pki.js'
import { answering, credentialsOf, script, v1 } from './plugins.js'

const test = suite('credential plugins')

const tokenOf = async (credentials: Credentials): Promise<string | undefined> =>
  O.toUndefined((await succeeds(credentials.current(never))).token)?.reveal()

const refusal = async (credentials: Credentials): Promise<string> => {
  const outcome = await credentials.current(never)()
  if (E.isRight(outcome) || outcome.left._tag === 'Interrupted') throw new Error('it was accepted')
  return `${outcome.left.message}; ${outcome.left.remedy}`
}

test('is given arguments, variables beside ours, and what it is to know, without a shell', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const seen = join(directory, 'seen')
  const { file } = await script(
    directory,
    `printf '%s|' "$@" "$REGION" "$HOME" "$KUBERNETES_EXEC_INFO" > ${seen}; ${answering({ token: 'abc' })}`,
  )
  const credentials = credentialsOf(
    file,
    {
      args: ['token', '$(id); `id`', 'a b'],
      env: [{ name: 'REGION', value: secret('eu') }],
      cluster: O.some({ server: 'https://api:6443' }),
    },
    { environment: { PATH: process.env['PATH'], HOME: '/home/of-ours', KUBERNETES_EXEC_INFO: 'stale' } },
  )
  assert.is(await tokenOf(credentials), 'abc')
  const [first, second, third, region, home, info = ''] = (await readFile(seen, 'utf8')).split('|')
  assert.equal([first, second, third, region, home], ['token', '$(id); `id`', 'a b', 'eu', '/home/of-ours'])
  assert.equal(JSON.parse(info), {
    kind: 'ExecCredential',
    apiVersion: v1,
    spec: { cluster: { server: 'https://api:6443' }, interactive: false },
  })
})

test('is looked up in PATH by its name, and beside the kubeconfig by a relative path', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  await script(directory, answering({ token: 'abc' }), 'helper')
  const environment = { PATH: `relative:/nowhere:${directory}:${process.env['PATH']}` }
  assert.is(await tokenOf(credentialsOf('helper', {}, { environment })), 'abc')
  const beside = { file: join(directory, 'kubeconfig') }
  assert.is(await tokenOf(credentialsOf('./helper', beside, {})), 'abc')
  // A bare name is no file of the working directory or of the folder of the kubeconfig.
  assert.match(
    await refusal(credentialsOf('helper', { ...beside, installHint: 'get it\u001b[31m here' })),
    /credential plugin helper is in none of the folders of PATH; install it \(get it \[31m here\)/,
  )
  assert.match(
    await refusal(credentialsOf('./none', { ...beside, installHint: 'get it here' })),
    /plugin \.\/none cannot be run: no such file or directory \(ENOENT\); .*\(get it here\)/,
  )
})

test('keeps a credential until it expires, and asks anew then', async ({ temporaryDirectory }) => {
  const start = Date.parse('2026-11-25T12:00:00Z')
  let now = instant(start)
  const { file, runs, does } = await script(
    await temporaryDirectory(),
    answering({ token: 'first', expirationTimestamp: '2026-11-25T13:10:00+01:00' }),
  )
  const credentials = credentialsOf(file, {}, { now: () => now })
  assert.is(await tokenOf(credentials), 'first')
  now = instant(start + 10 * minute - 1)
  assert.is(await tokenOf(credentials), 'first')
  assert.is(await runs(), 1)
  await does(answering({ token: 'second' }))
  now = instant(start + 10 * minute)
  assert.is(await tokenOf(credentials), 'second')
  // Without an expirationTimestamp it is kept for good.
  now = instant(start + 10_000 * minute)
  assert.is(await tokenOf(credentials), 'second')
  assert.is(await runs(), 2)
})

test('is run again after a rejection, once for all who wait, and not for one that was replaced', async ({
  temporaryDirectory,
}) => {
  const { file, runs, does } = await script(await temporaryDirectory(), answering({ token: 'first' }))
  const credentials = credentialsOf(file)
  const [first] = await Promise.all([1, 2, 3, 4].map(() => succeeds(credentials.current(never))))
  if (first === undefined) throw new Error('nothing was answered')
  assert.is(await runs(), 1)
  await does(answering({ token: 'second' }))
  credentials.wasRejected(first)()
  assert.equal(await Promise.all([1, 2, 3].map(() => tokenOf(credentials))), ['second', 'second', 'second'])
  credentials.wasRejected(first)()
  assert.is(await tokenOf(credentials), 'second')
  assert.is(await runs(), 2)
})

test('answers a certificate with its key, which is kept until it expires', async ({ temporaryDirectory }) => {
  const ca = authority('ca')
  const pair = ca.sign('/CN=agent')
  const other = ca.sign('/CN=other')
  const directory = await temporaryDirectory()
  const status = { clientCertificateData: pair.certificate, clientKeyData: pair.key }
  const { file, does } = await script(directory, answering(status))
  const found = await succeeds(credentialsOf(file).current(never))
  assert.is(O.toUndefined(found.clientCertificate)?.pem, pair.certificate)
  assert.ok(O.isNone(found.token) && O.isSome(found.expiresAt))
  await does(answering({ clientCertificateData: pair.certificate }))
  assert.match(await refusal(credentialsOf(file)), 'answered with a certificate without its key')
  await does(answering({ clientKeyData: pair.key }))
  assert.match(await refusal(credentialsOf(file)), 'answered with a key without its certificate')
  await does(answering({ ...status, clientKeyData: other.key }))
  assert.match(await refusal(credentialsOf(file)), 'answered with a certificate that is for another key')
  await does(answering({ ...status, clientKeyData: 'no key' }))
  assert.match(await refusal(credentialsOf(file)), 'a certificate or a key that cannot be read')
  const ended = ca.sign('/CN=agent', { days: -1 })
  await does(answering({ clientCertificateData: ended.certificate, clientKeyData: ended.key }))
  assert.match(await refusal(credentialsOf(file)), 'answered with a credential that expired at')
})

const bad: ReadonlyArray<readonly [string, string, string]> = [
  ['prints garbage', 'echo hello', 'printed no JSON'],
  ['prints nothing', 'true', 'printed no JSON'],
  ['prints a list', 'echo "[]"', 'printed something else than an object'],
  ['prints another kind', `echo '{"kind":"Pod"}'`, 'another kind of object than an ExecCredential'],
  ['answers in another version', answering({ token: 'a' }, `${v1}beta1`), `another apiVersion than ${v1}`],
  ['answers with nothing', answering({}), 'neither a token nor a certificate'],
  ['answers with a number', answering({ token: 7 }), 'status.token, which must be text'],
  ['answers with a token of two lines', answering({ token: 'a\nb' }), 'characters that no token has'],
  [
    'answers with no time',
    answering({ token: 'a', expirationTimestamp: 'noon' }),
    'status.expirationTimestamp',
  ],
  [
    'answers with an expired token',
    answering({ token: 'hunter2hunter2', expirationTimestamp: '2020-01-01T00:00:00Z' }),
    "expired at 2020-01-01T00:00:00Z by this machine's clock",
  ],
  ['ends with an error', 'echo no account >&2; exit 3', 'ended with status 3; on stderr: no account'],
  ['is killed', 'kill -9 $$', 'was ended by SIGKILL'],
  ['floods', 'yes', 'printed more than 1048576 bytes'],
]
for (const [what, body, expected] of bad)
  test(`refuses a plugin that ${what}`, async ({ temporaryDirectory }) => {
    const { file } = await script(await temporaryDirectory(), body)
    const said = await refusal(credentialsOf(file))
    assert.match(said, expected)
    assert.match(said, `kubeconfig /etc/kubeconfig: the credential plugin ${file}`)
    assert.not.match(said, 'hunter2')
  })

test('is killed with what it started when it hangs, or when nobody waits any more', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  const pids = join(directory, 'pids')
  const { file } = await script(directory, `echo $$ > ${pids}; sleep 600 & echo $! >> ${pids}; wait`)
  const started = () =>
    eventually('it has started', async () => {
      const ids = (await readFile(pids, 'utf8').catch(() => '')).trim().split('\n')
      return ids.length === 2 ? ids.map(Number) : undefined
    })
  const ended = (ids: ReadonlyArray<number>) =>
    eventually('they have ended', async () => {
      const states = await Promise.all(
        ids.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => ') Z')),
      )
      return states.every((state) => state.includes(') Z'))
    })
  assert.match(await refusal(credentialsOf(file, {}, { limit: 500 })), 'did not end within 0.5 s')
  await ended(await started())

  const credentials = credentialsOf(file)
  const [one, other] = [interruption(), interruption()]
  const answers = [one, other].map(({ signal }) => credentials.current(signal)())
  one.interrupt()
  assert.equal(await answers[0], E.left({ _tag: 'Interrupted' }))
  const ids = await started()
  other.interrupt()
  assert.equal(await answers[1], E.left({ _tag: 'Interrupted' }))
  await ended(ids)
})

test('has no standard input to wait for', async ({ temporaryDirectory }) => {
  const { file } = await script(await temporaryDirectory(), `read line; ${answering({ token: 'abc' })}`)
  assert.is(await tokenOf(credentialsOf(file)), 'abc')
})

test('is told in the log what it prints on stderr, once, without secrets', async ({ temporaryDirectory }) => {
  const told: Array<string> = []
  const jwt = 'eyJhbGciOi.eyJzdWIiOiJ.c2lnbmF0dXJl'
  const noise = `echo "new version; got opaque-token-1 with s3cretvalue, ${jwt}" >&2`
  const { file, does } = await script(
    await temporaryDirectory(),
    `${noise}; ${answering({ token: 'opaque-token-1', expirationTimestamp: '2030-01-01T00:00:00Z' })}`,
  )
  const env = [{ name: 'PASSWORD', value: secret('s3cretvalue') }]
  const credentials = credentialsOf(file, { env }, { warn: (message) => told.push(message) })
  const found = await succeeds(credentials.current(never))
  assert.equal(told, [
    `credential plugin ${file} printed on stderr: new version; got [secret] with [secret], [secret]`,
  ])
  credentials.wasRejected(found)()
  await succeeds(credentials.current(never))
  assert.is(told.length, 1)
  await does(`${noise.replace('opaque-token-1', 'abcdef.0123456789abcdef')}; exit 1`)
  const said = await refusal(credentialsOf(file, { env }))
  assert.match(said, 'new version; got [secret] with [secret], [secret]')
})

test('what it prints on stdout before it fails is in no error, also where stderr repeats it', async ({
  temporaryDirectory,
}) => {
  const directory = await temporaryDirectory()
  for (const [printed, repeated] of [
    [
      JSON.stringify({ status: { token: 'opaque-token-1', clientKeyData: 'one line\nother line' } }),
      'other line',
    ],
    ['{"status":{"token":"opaque-token-2', 'opaque-token-2'],
    ['opaque-token-3', 'opaque-token-3'],
  ] as const) {
    const { file } = await script(
      directory,
      `cat <<'EOF'\n${printed}\nEOF\necho "no account for ${repeated}" >&2; exit 3`,
    )
    const message = await refusal(credentialsOf(file))
    assert.match(message, /ended with status 3; on stderr: no account for \[secret\];/)
    assert.not.match(message, repeated)
  }
})
