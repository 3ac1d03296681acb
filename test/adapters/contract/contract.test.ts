/** Each adapter, the worked examples included, keeps the contract of its port; and the contract finds what does not. */
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json as jsonOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import {
  type Check,
  clockContract,
  credentialsContract,
  cryptoContract,
  outputContract,
  requestsContract,
  type StoreSubject,
  storeContract,
  trustContract,
} from '../../../adapters/contract/index.js'
import { startControlPlane } from '../../../adapters/control-plane/index.js'
import { createAuthority, cryptoBackend, signerBy } from '../../../adapters/crypto/index.js'
import { openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import {
  accessFromKubeconfig,
  certificateSigningRequests,
  clusterFromKubeconfig,
} from '../../../adapters/kubernetes/index.js'
import {
  authoritiesPem,
  certificatePem,
  memoryApi,
  memoryCrypto,
  memoryStore,
  memoryTrust,
  readRequest,
  trustErrors,
  virtualClock,
} from '../../../adapters/memory/index.js'
import { fromBundle } from '../../../adapters/node/trust.js'
import { outputBundle, outputDirectory, outputKubeconfig } from '../../../adapters/outputs/index.js'
import { wallClock } from '../../../adapters/platform/clock.js'
import {
  after,
  type CertificateStore,
  type CryptoBackend,
  type Draft,
  day,
  identityOf,
  instant,
  kubeletClientTemplate,
  nameOf,
  wholeSecond,
} from '../../../src/index.js'
import { secret } from '../../../src/model/secret.js'
import { assert, suite } from '../../helper/index.js'
import { addressOf } from '../connections/server.js'
import { answering, credentialsOf, script } from '../credentials/plugins.js'
import { right } from '../outcome.js'
import { content } from '../outputs/content.js'
import { type Call, secretStore } from './examples/secret-store.js'

const test = suite('contracts of ports')
const keep = (who: string, checks: ReadonlyArray<Check>) => {
  for (const { name, run } of checks) test(`${who}: ${name}`, run)
}

/** A store that lives in one process: whoever opens it gets the same. */
const shared = (store: CertificateStore, close = async () => {}): StoreSubject => ({
  store,
  reopen: async () => store,
  another: async () => E.right(store),
  close,
})

keep(
  'memory store',
  storeContract(async () => shared(memoryStore())),
)

keep(
  'certificate directory',
  storeContract(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-'))
    let opened = await right(openCertificateDirectory({ directory }))
    return {
      store: opened,
      another: openCertificateDirectory({ directory }),
      reopen: async () => {
        await opened.release()
        opened = await right(openCertificateDirectory({ directory }))
        return opened
      },
      close: async () => {
        await opened.release()
        await rm(directory, { recursive: true, force: true })
      },
    }
  }),
)

/** Secrets over HTTP as an API server keeps them: versions, conflicts, `stringData` in place of `data`. */
const secretsServer = async () => {
  const secrets = new Map<string, { metadata: { resourceVersion: string }; data: Record<string, string> }>()
  let version = 0
  const server = createServer(async (request, response) => {
    const name = request.url?.split('/')[6] ?? ''
    const answer = (status: number, body: unknown) => {
      response.statusCode = status
      response.end(JSON.stringify(body))
    }
    if (request.method === 'GET') {
      const found = secrets.get(name)
      return found === undefined ? answer(404, {}) : answer(200, found)
    }
    const sent = Object(await jsonOf(request))
    const id = request.method === 'POST' ? sent.metadata.name : name
    if (secrets.get(id)?.metadata.resourceVersion !== sent.metadata.resourceVersion) return answer(409, {})
    version += 1
    const data = Object.entries(sent.stringData).map(([key, text]) => [
      key,
      Buffer.from(String(text)).toString('base64'),
    ])
    secrets.set(id, { metadata: { resourceVersion: `${version}` }, data: Object.fromEntries(data) })
    return answer(200, {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const call: Call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${addressOf(server).port}${path}`, {
      method,
      headers: { connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, json: Object(await response.json()) }
  }
  return { call, close: () => server.close() }
}

keep(
  'store in a Secret',
  storeContract(async () => {
    const { call, close } = await secretsServer()
    const open = () => secretStore(call, 'agents', 'worker-1')
    return {
      store: open(),
      reopen: async () => open(),
      another: async () => E.right(open()),
      close: async () => {
        close()
      },
    }
  }),
)

const now = wholeSecond(instant(Date.now()))
const life = { serialNumber: '01', notBefore: after(now, -day), notAfter: after(now, day) }

keep(
  'memory crypto',
  cryptoContract({
    crypto: memoryCrypto(),
    issue: async (request) => {
      const asked = readRequest(request)
      if (O.isNone(asked)) throw new Error('it is no request')
      const certificate = { ...asked.value, ...life, issuer: 'memory', extendedKeyUsages: O.none }
      return { certificate: certificatePem(certificate), authority: authoritiesPem(['memory']) }
    },
  }),
)

/** The contract for real keys: what is issued is X.509. */
const real = (crypto: CryptoBackend): ReadonlyArray<Check> =>
  cryptoContract({
    crypto,
    issue: async (request) => {
      const authority = await right(createAuthority({ ...life, commonName: 'CA' }))
      const certificate = await right(signerBy(authority)(request, { ...life, usages: ['client auth'] }))
      return { certificate, authority: authority.pem }
    },
  })
keep('WebCrypto and OpenSSL', real(cryptoBackend))

const draftBy = (crypto: CryptoBackend) => async (): Promise<Draft> => {
  const template = kubeletClientTemplate('worker-1')
  const key = await right(crypto.generateKey('ECDSA-P256'))
  const pem = await right(key.createRequest(template))
  const name = nameOf(await crypto.sha256(identityOf(key.id, template))())
  return { name, keyId: key.id, template, pem }
}
const identity = { _tag: 'Bootstrap' } as const

keep(
  'API in memory',
  requestsContract({
    requests: memoryApi(virtualClock(now), { autoApprove: false }),
    identity,
    draft: draftBy(memoryCrypto()),
  }),
)

const plane = await right(startControlPlane({ autoApprove: false }))
const folder = await mkdtemp(join(tmpdir(), 'kube-cert-rotation-'))
const kubeconfig = join(folder, 'bootstrap.kubeconfig')
await writeFile(kubeconfig, plane.bootstrapKubeconfig(), { mode: 0o600 })
const overHttps = certificateSigningRequests({
  cluster: clusterFromKubeconfig(kubeconfig),
  bootstrap: accessFromKubeconfig(kubeconfig),
})
test.after(async () => {
  overHttps.close()
  await plane.close()
  await rm(folder, { recursive: true, force: true })
})
keep('API over HTTPS', requestsContract({ requests: overHttps, identity, draft: draftBy(cryptoBackend) }))

keep(
  'wall clock',
  clockContract(wallClock, (duration) => sleep(duration)),
)
const virtual = virtualClock(now)
keep(
  'virtual clock',
  clockContract(virtual, (duration) => virtual.advanceBy(duration)),
)

const bundle = join(folder, 'ca.crt')
await writeFile(bundle, plane.authority())
keep(
  'CAs in a file',
  trustContract({ readable: fromBundle(bundle), unreadable: fromBundle(join(folder, 'none')) }),
)
const unreadable = memoryTrust()
unreadable.inject({ answer: trustErrors.unreadable })
keep(
  'CAs in memory',
  trustContract({ readable: memoryTrust({ authorities: O.some(['memory']) }), unreadable }),
)

keep(
  'credential plugin',
  credentialsContract(async () => {
    const { file, does } = await script(
      await mkdtemp(join(folder, 'plugin-')),
      answering({ token: 'the-first-token' }),
    )
    return {
      credentials: credentialsOf(file),
      replace: () => does(answering({ token: 'the-second-token' })),
      unavailable: credentialsOf(join(folder, 'none')),
    }
  }),
)

const contents = [content('first'), content('second')] as const
const readIfThere = (path: string) => readFile(path, 'utf8').catch(() => undefined)
for (const [what, make, file] of [
  ['bundle', outputBundle, ''],
  ['kubeconfig', outputKubeconfig, ''],
  ['directory', outputDirectory, 'tls.crt'],
] as const)
  keep(
    `output, a ${what}`,
    outputContract(async () => {
      const path = join(await mkdtemp(join(folder, 'output-')), what)
      return {
        output: make(path),
        read: () => readIfThere(join(path, file)),
        contents,
        unwritable: make(join(bundle, what)),
      }
    }),
  )

test('credentials and outputs that break their contracts are found', async () => {
  const said = async (checks: ReadonlyArray<Check>) => {
    const all: Array<string> = []
    for (const { run } of checks) await run().catch((error: Error) => all.push(error.message))
    return all.join('\n')
  }
  const answer = { token: O.some(secret('always')), clientCertificate: O.none, expiresAt: O.none }
  const stubborn = { current: () => async () => E.right(answer), wasRejected: () => () => {} }
  const found = await said(
    credentialsContract(async () => ({
      credentials: stubborn,
      replace: async () => {},
      unavailable: stubborn,
    })),
  )
  assert.match(found, /the rejected one is answered again/)
  assert.match(found, /asking after the signal should be an error/)
  assert.match(found, /current should be an error/)
  const silent = { name: '', write: () => async () => E.right(undefined) }
  const missing = await said(
    outputContract(async () => ({
      output: silent,
      read: async () => undefined,
      contents,
      unwritable: silent,
    })),
  )
  assert.match(missing, /nothing is there/)
  assert.match(missing, /the one before is still there/)
  assert.match(missing, /write should be an error/)
})

/** What the checks say of a store that is spoiled in one way. */
const faultsOf = async (
  spoil: (store: CertificateStore) => CertificateStore,
): Promise<ReadonlyArray<string>> => {
  const said: Array<string> = []
  for (const { run } of storeContract(async () => shared(spoil(memoryStore()))))
    await run().catch((error: Error) => said.push(error.message))
  return said
}

test('a store that breaks its contract is found', async () => {
  assert.equal(await faultsOf((store) => store), [])
  const forgetful = await faultsOf((store) => ({
    ...store,
    saveRequest: () => async () => E.right(undefined),
  }))
  assert.match(forgetful.join('\n'), /the request is undefined and should be/)
  const hoarding = await faultsOf((store) => ({ ...store, discardRequest: async () => E.right(undefined) }))
  assert.match(hoarding.join('\n'), /the request is \{.*and should be undefined/)
  const deaf = await faultsOf((store) => ({ ...store, install: () => async () => E.right(undefined) }))
  assert.ok(deaf.length >= 3)
})
