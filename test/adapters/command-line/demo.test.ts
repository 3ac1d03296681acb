import { existsSync } from 'node:fs'
import { assert, eventually, suite, thorough } from '../../helper/index.js'
import { program } from './program.js'

const test = suite('demo')

test('shows who does what, stops within a second, and leaves nothing behind', async (context) => {
  const running = program(context, 'demo')
  await eventually('a certificate was used', () => running.stdout().includes('201 POST selfsubjectreviews'))
  const printed = running.stdout()
  for (const line of [
    /s {2}agent {2}Bootstrapping → Pending {2}request sent with the bootstrap credential/,
    /s {2}plane {2}csr-[0-9a-f]{8}… approved/,
    /s {2}api {4}200 WATCH csr-[0-9a-f]{8}… by system:bootstrap:\w{6}/,
    /s {2}disk {3}kubelet-client-current\.pem → kubelet-client-\S+Z\.pem, pairs kept: 1/,
    /s {2}api {4}201 POST selfsubjectreviews by system:node:demo-node with certificate [0-9a-f]{8}…/,
  ])
    assert.match(printed, line)
  assert.ok(printed.split('\n').every((line) => line.length <= 120))
  const folder = /certificate directory (\S+)\/pki/.exec(printed)?.[1] ?? ''
  assert.ok(existsSync(folder))
  running.kill('SIGINT')
  const began = performance.now()
  assert.equal(await running.ended, { code: 0, signal: null })
  assert.ok(performance.now() - began < 1_000)
  assert.not.ok(existsSync(folder))
  assert.is(running.stderr(), '')
})

const why = thorough ? undefined : 'it takes half a minute: npm run test:thorough, npm start'
test('renews twice in less than a minute, and says what was seen', {
  deadline: 60_000,
  skip: why,
}, async (context) => {
  const running = program(context, 'demo')
  assert.equal(await running.ended, { code: 0, signal: null })
  assert.match(running.stdout(), /Seen: 3 certificates, 3 private keys; 6 API requests/)
  assert.match(running.stdout(), /came with the new certificate: 3 of 3/)
})
