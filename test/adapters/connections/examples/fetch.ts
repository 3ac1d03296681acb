import { follow, type Sources } from '../../../../adapters/connections/index.js'
import { dispatcher } from '../../../../adapters/connections/undici/index.js'
import type { Example } from './example.js'

export const overFetch = (sources: Sources, url: string): Example => {
  // README: undici, and the fetch of Node
  const via: object = { dispatcher: dispatcher(follow(sources)) }
  const ask = async () => (await fetch(url, via)).text()
  // end
  return { ask, close: () => {} }
}
