import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from '../../helper/index.js'
import type { Authority } from './pki.js'

/**
 * An HTTPS server on loopback that wants a client certificate of this authority, and refuses others with a TLS alert:
 * OpenSSL's, since Node's own ends the connection without one. Answers its URL; ended after the test.
 */
export const strictServer = async (
  { defer, temporaryDirectory }: TestContext,
  ca: Authority,
  version: 'tls1_2' | 'tls1_3',
): Promise<string> => {
  const directory = await temporaryDirectory()
  const { certificate, key } = ca.sign('/CN=server', { san: 'IP:127.0.0.1' })
  const files = { 'server.pem': certificate + key, 'ca.pem': ca.certificate }
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  const server = ['s_server', '-accept', '127.0.0.1:0', '-cert', 'server.pem', '-www', `-${version}`]
  const clients = ['-CAfile', 'ca.pem', '-Verify', '1', '-verify_return_error']
  const openssl = spawn('openssl', [...server, ...clients], { cwd: directory })
  defer(() => openssl.kill())
  let output = ''
  for await (const chunk of openssl.stdout) {
    output += String(chunk)
    if (/^ACCEPT .*:\d+/m.test(output)) break
  }
  return `https://127.0.0.1:${/^ACCEPT .*:(\d+)/m.exec(output)?.[1] ?? '0'}`
}
