import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { cryptoBackend } from '../../adapters/crypto/index.js'
import { openCertificateDirectory, readCertificateDirectory } from '../../adapters/filesystem/index.js'
import { wallClock } from '../../adapters/platform/clock.js'
import { keyring } from '../../src/driver/keyring.js'
import { load } from '../../src/driver/load.js'
import { right } from '../adapters/outcome.js'
import { assert, sample, seed, suite } from '../helper/index.js'
import { count, heap } from './bounds.js'
import { type Material, material } from './material.js'
import { mutants } from './mutation.js'

const test = suite('certificate directories of any content')

let kept: Material | undefined
test.before(async () => {
  kept = await material()
})

const names = [
  'kubelet-client-current.pem',
  'kubelet-client-updated.pem',
  'kubelet-client-2026-11-23T12-00-00Z.pem',
  'kubelet-client-2026-11-24T12-00-00Z-2.pem',
  'kubelet-client-2026-11-24-12-00-00.pem',
  'kubelet-client-kept-2026-11-24T12-00-00Z.pem',
  'kubelet-client-request.json',
  'kubelet-client.crt',
  'kubelet-client.key',
  'kubelet-client-0123456789abcdef.tmp',
  'kubelet-client.lock-0123456789abcdef',
  'kubelet-client-9999-99-99T99-99-99Z.pem',
  'kubelet-client-\u001b[2J.pem',
]

test('are read, taken over and released, and what is usable is a matching pair', {
  deadline: 900_000,
}, async (context) => {
  if (kept === undefined) throw new Error('there is no material')
  const { chain, key, requestFile } = kept
  const root = await context.temporaryDirectory()
  const content = fc.oneof(
    fc.constant(Buffer.from(chain + key)),
    mutants(chain + key, requestFile),
    fc.constantFrom(Buffer.alloc(0), Buffer.alloc(4_096)),
  )
  const entry = fc.record({
    name: fc.constantFrom(...names),
    kind: fc.constantFrom('file', 'file', 'file', 'link', 'directory'),
    content,
    target: fc.constantFrom(...names, '..', '/dev/zero', 'nowhere', '/etc/\u001b[2J'),
  })
  let number = 0
  const before = heap()
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { selector: ({ name }) => name, maxLength: 6 }),
      async (entries) => {
        number += 1
        count()
        const directory = join(root, String(number))
        mkdirSync(directory, { mode: 0o700 })
        for (const { name, kind, content, target } of entries) {
          const path = join(directory, name)
          if (kind === 'file') writeFileSync(path, content, { mode: 0o600 })
          else if (kind === 'link') symlinkSync(target, path)
          else mkdirSync(path)
        }
        const began = performance.now()
        const looked = await right(readCertificateDirectory({ directory }))
        assert.ok(looked.pairs.length <= entries.length)
        const opened = await openCertificateDirectory({ directory })()
        if (E.isRight(opened)) {
          const found = await load(
            { store: opened.right, crypto: cryptoBackend, clock: wallClock },
            keyring(),
          )()
          await opened.right.release()
          if (E.isLeft(found)) throw new Error(found.left.message)
          const { held, warnings } = found.right
          if (O.isSome(held)) assert.is(held.value.certificate.commonName, 'system:node:a')
          for (const warning of warnings) assert.ok(warning.length < 2_000, warning)
        } else assert.ok(opened.left.message.length < 1_200)
        assert.ok(performance.now() - began < 3_000)
        assert.not.ok(
          readdirSync(directory).some(
            (name) => name.includes('.lock-') && name !== 'kubelet-client.lock-0123456789abcdef',
          ),
        )
      },
    ),
    { numRuns: sample(80, 1_500), seed },
  )
  assert.ok(heap() - before < 48 * 1024 * 1024)
})
