import * as https from 'node:https'
import { text } from 'node:stream/consumers'
import { follow, httpsAgent, type Sources } from '../../../../adapters/connections/index.js'
import type { Example } from './example.js'

export const overHttps = (sources: Sources, url: string): Example => {
  // README: node:https, axios, got, node-fetch
  const agent = httpsAgent(follow(sources))
  const ask = () => new Promise((resolve) => https.get(url, { agent }, (response) => resolve(text(response))))
  // end
  return { ask, close: () => agent.destroy() }
}
