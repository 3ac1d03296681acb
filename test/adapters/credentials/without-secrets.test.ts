import fc from 'fast-check'
import { withoutSecrets } from '../../../adapters/credentials/without-secrets.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('what is shown of what a plugin prints')

const shown = (text: string) => withoutSecrets(text, [])

test('has no secret that is named, in whatever form', () => {
  for (const [printed, expected] of [
    ['Authorization: Bearer s3cr3t-t0ken', 'Authorization: [secret] [secret]'],
    ['sent bearer hunter to it', 'sent bearer [secret] to it'],
    ['Proxy: Basic YWRtaW46aHVudGVyMg==', 'Proxy: Basic [secret]'],
    ['GET https://admin:hunter2@vault.example.com/x', 'GET https://[secret]@vault.example.com/x'],
    ['GET http://admin:a@b@vault/', 'GET http://[secret]@vault/'],
    ['ran az login --password Tr0ub4dor&3 -v', 'ran az login --password [secret] -v'],
    ['ran x --client-secret=hunter --region eu', 'ran x --client-secret=[secret] --region eu'],
    ["ran x --token 'two words' y", 'ran x --token [secret] y'],
    ['{"id_token":"abc123def456","x":1}', '{"id_token":[secret],"x":1}'],
    ['{"password": "two words", "x": 1}', '{"password": [secret], "x": 1}'],
    ['{"password": "a\\"b c", "x": 1}', '{"password": [secret], "x": 1}'],
    ["{'apiKey': 'abc', 'x': 1}", "{'apiKey': [secret], 'x': 1}"],
    ['{"tokens": ["abc", "def"]}', '{"tokens": [secret]}'],
    ['{"credential": {"value": "abc def"}}', '{"credential": [secret]}'],
    ['"{\\"token\\":\\"abc\\"}"', '"{\\"token\\":[secret]'],
    ['AWS_SECRET_ACCESS_KEY=abc', 'AWS_SECRET_ACCESS_KEY=[secret]'],
    ['passwd:hunter', 'passwd:[secret]'],
    ['Password:\nhunter', 'Password:\n[secret]'],
    ['used password hunter2 there', 'used password [secret] there'],
    ['used token a1b2 there', 'used token [secret] there'],
    ['secret: hunter2', 'secret: [secret]'],
  ] as const)
    assert.is(shown(printed), expected)
})

test('has nothing that looks like a secret', () => {
  for (const secret of [
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    '/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXA',
    '0123456789abcdef0123456789abcdef',
    '0123456789ABCDEF0123456789ABCDEF01234567',
    'eyJhbGciOi.eyJzdWIiOiJ.c2lnbmF0dXJl',
    'abcdef.0123456789abcdef',
  ]) {
    assert.is(shown(`opaque ${secret}, so`), 'opaque [secret], so')
    assert.is(shown(`aws_secret_access_key = ${secret}`), 'aws_secret_access_key = [secret]')
  }
  assert.is(shown('a\n-----BEGIN EC PRIVATE KEY-----\nab\n-----END EC PRIVATE KEY-----\nb'), 'a\n[secret]\nb')
  assert.is(shown('cd\nab\n-----END PRIVATE KEY-----\nb'), '[secret]\nb')
})

test('keeps the words of a sentence', () => {
  for (const sentence of [
    'error: the token has expired at 2026-11-25T12:00:00Z; run az login again',
    'no credential provider is configured for account 123456789012 in eu-west-1',
    'the key file /etc/kubernetes/pki/agent.key cannot be read: permission denied',
    'Basic authentication failed: the password is wrong.',
    'bearer token is missing; set the flag --token and try again',
    'reading key: no such file or directory',
    'invalid token: signature does not match',
    'error: secret not found (404) at https://vault.example.com:8200/v1/kv/data/agent',
    'Unable to locate credentials. You can configure credentials by running "aws configure".',
    '/usr/lib/python3/dist-packages/botocore/configloader.py line 42',
    'request 5f0c1d6a-8e2b-4793-9d1c-0a4be87712f3 was throttled',
  ])
    assert.is(shown(sentence), sentence)
})

test('never has the value of a password', () => {
  const password = fc.string({
    minLength: 6,
    maxLength: 12,
    unit: fc.constantFrom(...'abcXYZ019&$!@#%^*()+'),
  })
  fc.assert(
    fc.property(
      password.filter((text) => /\d/.test(text)),
      fc.constantFrom(
        'password=',
        'DB_PASSWORD: ',
        '--password ',
        '--secret=',
        'Bearer ',
        '"token":"',
        'token ',
      ),
      (secret, name) => {
        assert.not.ok(shown(`x ${name}${secret}`).includes(secret))
      },
    ),
  )
})
