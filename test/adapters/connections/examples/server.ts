import { createServer, type Server } from 'node:https'
import { follow, fromFiles, tlsServer } from '../../../../adapters/connections/index.js'

export const serving = (directory: string): Server => {
  // README: a server, with files that cert-manager renews
  const files = fromFiles(
    { certificate: `${directory}/tls.crt`, key: `${directory}/tls.key` },
    { interval: 20 },
  )
  const server = createServer((_, response) => response.end('hello'))
  tlsServer(follow(files), server)
  // end
  return server
}
