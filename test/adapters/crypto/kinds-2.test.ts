/** ML-DSA needs OpenSSL 3.5: where this Node has an older one, with another Node. */
import { spawnSync } from 'node:child_process'
import { cryptoBackend } from '../../../adapters/crypto/index.js'
import { suite } from '../../helper/index.js'
import { newer } from '../connections/newer.js'
import { testKinds } from './kinds.js'

const name = 'kinds of keys: ML-DSA'

const here = (await cryptoBackend.generateKey('ML-DSA-44')())._tag === 'Right'

if (here) testKinds(suite(name), ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'])
else if (newer._tag !== 'WithNode')
  suite(name).skip('is like the others', newer._tag === 'Missing' ? newer.why : 'OpenSSL is older than 3.5')
else {
  // Its tests are counted as ours: it writes to the same report.
  const { status } = spawnSync(newer.node, ['--enable-source-maps', import.meta.filename], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
