import { cryptoBackend } from '../../../adapters/crypto/index.js'
import { rotateAt } from '../../../src/describe/renewal.js'
import { instant, minute, secret } from '../../../src/index.js'
import { assert, suite, thorough } from '../../helper/index.js'
import { right } from '../outcome.js'
import { lifetimes, usualAlgorithms } from './lifetimes.js'
import { rotating, world } from './world.js'

const test = suite('certificates short and long, with each kind of key')

// In `npm test` each lifetime once, and each kind of key that is quickly made; otherwise each with each.
const quick = usualAlgorithms.filter((algorithm) => !/^RSA-[34]/.test(algorithm))
const cases = thorough
  ? usualAlgorithms.flatMap((algorithm) => lifetimes.map((lifetime) => [algorithm, ...lifetime] as const))
  : quick.flatMap((algorithm, index) => {
      const lifetime = lifetimes[index % lifetimes.length]
      return lifetime === undefined ? [] : [[algorithm, ...lifetime] as const]
    })

for (const [keyAlgorithm, name, lifetime] of cases)
  test(`${keyAlgorithm} for ${name}`, { deadline: 60_000 }, async (context) => {
    const there = await world(context, { clusterSigningDuration: 3_650 * 24 * 60 * minute })
    const rotation = await rotating(context, there, { keyAlgorithm, requestedLifetime: lifetime })
    const { notAfter } = await rotation.issued()
    const received = Date.now()
    const left = notAfter.getTime() - received
    assert.ok(left <= lifetime && left > lifetime - 6 * minute, `${left} ms are left of ${lifetime}`)
    const due = (rotateAt(rotation.policy, rotation.facts(), instant(received)) ?? 0) - received
    assert.ok(due > 0.68 * left && due < 0.91 * left, `renewed after ${due} of ${left} ms`)
    const { cert = '', key = '' } = rotation.current()?.tls() ?? {}
    const { certificate } = await right(cryptoBackend.parseChain(cert))
    assert.is(certificate.keyAlgorithm, keyAlgorithm)
    assert.is((await right(cryptoBackend.restoreKey(secret(key)))).id, certificate.keyId)
  })

test('another kind of key is another certificate, without a word about its names', async (context) => {
  const there = await world(context)
  const first = await rotating(context, there)
  const { keyId } = await first.issued()
  await first.stop()
  const second = await rotating(context, there, { keyAlgorithm: 'Ed25519' })
  const renewed = await second.issued()
  assert.is.not(renewed.keyId, keyId)
  assert.ok(second.seen.length > 0)
  await second.stop()
  const third = await rotating(context, there)
  assert.is((await third.issued()).keyId, renewed.keyId, 'where no kind is named, what is there stays')
})
