/** A real nginx, where there is one in PATH, reads an output that is renewed under it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import * as O from 'fp-ts/lib/Option.js'
import { outputDirectory } from '../../../adapters/outputs/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, eventually, sample, suite } from '../../helper/index.js'
import { newPki, type Pair } from '../connections/pki.js'
import { right } from '../outcome.js'
import { content } from './content.js'

const test = suite('nginx')

const skip = spawnSync('nginx', ['-v']).error === undefined ? undefined : 'no nginx on this machine'

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The serial number of the certificate that is served, for a client that checks it. */
const served = (port: number, ca: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber.toLowerCase())
      socket.destroy()
    }).on('error', () => resolve(undefined))
  })

const renewals = sample(10, 60)
test(`serves each of ${renewals} renewals of an output, and never meets a key of another certificate`, {
  deadline: sample(60_000, 900_000),
  skip,
}, async ({ temporaryDirectory, defer }) => {
  const folder = await temporaryDirectory()
  const pki = await newPki()
  const pairs = await Promise.all([1, 2, 3].map(() => pki.serving()))
  const directory = join(folder, 'tls')
  const output = outputDirectory(directory)
  const write = ({ pem, key }: Pair) => {
    const { credential, cluster } = content('a', { ca: pki.ca })
    const tlsKey = { _tag: 'Pem', pem: secret(key) } as const
    return right(output.write({ credential: { ...credential, pem, key: tlsKey }, cluster }))
  }
  const pairOf = (number: number): Pair =>
    O.getOrElse<Pair>(() => pki.server)(O.fromNullable(pairs[number % pairs.length]))
  await write(pairOf(0))

  const port = await freePort()
  const [log, configuration] = [join(folder, 'error.log'), join(folder, 'nginx.conf')]
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ')
  writeFileSync(
    configuration,
    `daemon off; pid ${join(folder, 'pid')}; error_log ${log} notice; events {}
http { access_log off; ${paths}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${join(directory, 'tls.crt')};
    ssl_certificate_key ${join(directory, 'tls.key')};
    ssl_client_certificate ${join(directory, 'ca.crt')};
  } }`,
  )
  const server = spawn('nginx', ['-p', folder, '-c', configuration, '-e', log], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  defer(async () => {
    server.kill('SIGTERM')
    await ended
  })
  const serves = (number: number) =>
    eventually(
      `renewal ${number} is served`,
      async () =>
        Number.parseInt((await served(port, pki.ca)) ?? '', 16) ===
        Number.parseInt(pairOf(number).serial, 16),
      { deadline: 20_000 },
    )
  await serves(0)
  for (let number = 1; number <= renewals; number += 1) {
    await write(pairOf(number))
    server.kill('SIGHUP')
    await serves(number)
  }
  const trouble = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /\[(emerg|alert|crit|error)\]/.test(line))
  assert.equal(trouble, [])
})
