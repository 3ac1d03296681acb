/** client-node 2.x; where this Node is too old for it, with another one. */
import { spawnSync } from 'node:child_process'
import { suite } from '../../helper/index.js'
import { testClientNode } from './client-node.js'
import { newer } from './newer.js'

const name = 'client-node 2.x'

if (newer._tag === 'Missing') suite(name).skip('follows a credential', newer.why)
else if (newer._tag === 'Here') testClientNode(suite(name), await newer.load())
else {
  // Its tests are counted as ours: it writes to the same report.
  const { status } = spawnSync(newer.node, ['--enable-source-maps', import.meta.filename], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
