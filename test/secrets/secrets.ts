/** The secrets of a run, in every form in which they could be seen, and where they are looked for. */
import { createPrivateKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { pemBlocks } from '../../src/model/pem.js'
import { assert } from '../helper/index.js'

/** A token: whole, its secret half, and both as they travel. */
export const formsOfToken = (token: string): ReadonlyArray<string> => [
  token,
  token.split('.')[1] ?? token,
  Buffer.from(token).toString('base64').replace(/=+$/, ''),
  Buffer.from(token).toString('hex'),
]

/** A private key, PEM: each line of its text, and its secret number. */
export const formsOfKey = (pem: string): ReadonlyArray<string> => {
  const key = createPrivateKey(pem)
  const { d = '' } = key.export({ format: 'jwk' })
  const der = key.export({ type: 'sec1', format: 'der' })
  const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('---'))
  return [
    ...lines,
    d,
    Buffer.from(d, 'base64url').toString('hex'),
    Buffer.from(d, 'base64url').toString('base64').replace(/=+$/, ''),
    der.toString('hex').slice(0, 60),
    Buffer.from(pem).toString('base64').slice(44, 100),
  ]
}

/** The private keys in the files of a directory, whatever the files are called. */
export const keysIn = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap(({ name }) => {
      const text = readFileSync(join(directory, name), 'utf8').replaceAll('\\n', '\n')
      return pemBlocks(text)
        .filter(({ label }) => label.endsWith('PRIVATE KEY'))
        .map((block) => block.text)
    })

/** Everything that can be seen of a value without asking for its secret. */
export const seenOf = (value: unknown): string =>
  [
    inspect(value, {
      depth: Number.POSITIVE_INFINITY,
      showHidden: true,
      getters: true,
      maxArrayLength: null,
      maxStringLength: null,
    }),
    json(value),
    String(value),
  ].join('\n')

const json = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}

/** None of the secrets is in any of the texts. */
export const areHidden = (secrets: ReadonlyArray<string>, texts: Readonly<Record<string, string>>): void => {
  assert.ok(secrets.length > 0)
  for (const secret of secrets) {
    assert.ok(secret.length >= 16, 'a secret is long enough not to be found by chance')
    for (const [where, text] of Object.entries(texts))
      if (text.includes(secret))
        throw new Error(
          `a secret is in ${where}: …${text.slice(Math.max(0, text.indexOf(secret) - 60), text.indexOf(secret))}`,
        )
  }
}
