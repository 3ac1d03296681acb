import { minute } from '../../../src/model/time.js'
import { assert, eventually, suite, type TestContext } from '../../helper/index.js'
import {
  admin,
  bootstrapper,
  type Json,
  newRequest,
  requestsPath,
  signingRequest,
  started,
} from './client.js'

const test = suite('watch')

const setUp = async (context: TestContext, options: object = {}) => {
  const controlPlane = await started(context, options)
  const { base64 } = await newRequest()
  const sender = bootstrapper(context, controlPlane)
  const post = (name: string) => sender.call('POST', requestsPath, signingRequest(name, base64))
  return { controlPlane, sender, post }
}

/** `ADDED csr-1 Approved` */
const summary = (line: Json): string => {
  const conditions = line.at('object', 'status', 'conditions')
  const types = Array.isArray(conditions) ? conditions.map(({ type }) => type) : []
  const issued = line.at('object', 'status', 'certificate') === undefined ? [] : ['Issued']
  return [line.at('type'), line.at('object', 'metadata', 'name'), ...types, ...issued].join(' ')
}

test("from a POST's version sees the request approved, then issued, in two requests", async (context) => {
  const { sender, post } = await setUp(context)
  const version = (await post('csr-1')).json.at('metadata', 'resourceVersion')
  const { lines } = await sender.watch(`fieldSelector=metadata.name=csr-1&resourceVersion=${version}`)
  await eventually('two changes are there', () => lines.length >= 2)
  assert.equal(lines.map(summary), ['MODIFIED csr-1 Approved', 'MODIFIED csr-1 Approved Issued'])
})

test('without a version replays what is there as ADDED, then follows', async (context) => {
  const { controlPlane, sender, post } = await setUp(context, { autoApprove: false })
  await post('csr-1')
  for (const query of ['', 'resourceVersion=0']) {
    const { lines, stop } = await sender.watch(query)
    await eventually('the request is replayed', () => lines.length >= 1)
    assert.equal(lines.map(summary), ['ADDED csr-1'])
    stop()
  }
  const { lines } = await sender.watch('')
  controlPlane.signing.hold()
  controlPlane.approval.resume()
  await eventually('it is approved', () => lines.length >= 2)
  await admin(context, controlPlane).call('DELETE', `${requestsPath}/csr-1`)
  await eventually('it is deleted', () => lines.length >= 3)
  assert.equal(lines.map(summary), ['ADDED csr-1', 'MODIFIED csr-1 Approved', 'DELETED csr-1 Approved'])
})

test('of one name says nothing of others', async (context) => {
  const { sender, post } = await setUp(context, { autoApprove: false })
  const { lines } = await sender.watch('fieldSelector=metadata.name=csr-2')
  await post('csr-1')
  await post('csr-2')
  await eventually('the request is there', () => lines.length >= 1)
  assert.equal(lines.map(summary), ['ADDED csr-2'])
})

test('from a version that is forgotten is answered 200 with an ERROR event, 410, and ends', async (context) => {
  const { controlPlane, sender, post } = await setUp(context)
  const version = (await post('csr-1')).json.at('metadata', 'resourceVersion')
  await eventually('it is issued', () => controlPlane.requests()[0]?.status.certificate !== undefined)
  controlPlane.compact()
  const { lines, ended } = await sender.watch(`resourceVersion=${version}`)
  await ended
  assert.is(lines.length, 1)
  assert.is(lines[0]?.at('type'), 'ERROR')
  assert.is(lines[0]?.at('object', 'code'), 410)
  assert.is(lines[0]?.at('object', 'reason'), 'Expired')
})

test('from a version ahead of the server says nothing', async (context) => {
  const { sender, post } = await setUp(context, { autoApprove: false })
  const { lines } = await sender.watch('resourceVersion=9999999999999999')
  const other = await sender.watch('')
  await post('csr-1')
  await eventually('the other watch tells it', () => other.lines.length >= 1)
  assert.equal(lines, [])
})

test('ends after timeoutSeconds, with a bookmark for who asked for them', async (context) => {
  const { controlPlane, sender, post } = await setUp(context, { autoApprove: false })
  await post('csr-1')
  const { lines, ended } = await sender.watch('timeoutSeconds=1&allowWatchBookmarks=true')
  await ended
  assert.equal(
    lines.map((line) => line.at('type')),
    ['ADDED', 'BOOKMARK'],
  )
  assert.is(
    lines[1]?.at('object', 'metadata', 'resourceVersion'),
    controlPlane.requests()[0]?.metadata.resourceVersion,
  )
})

test('marks the end of the initial events for who asks for a watch as a list', async (context) => {
  const { sender, post } = await setUp(context, { autoApprove: false })
  await post('csr-1')
  const { lines } = await sender.watch(
    'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan',
  )
  await eventually('the bookmark is there', () => lines.length >= 2)
  assert.equal(lines[1]?.at('object', 'metadata', 'annotations'), { 'k8s.io/initial-events-end': 'true' })
})

test('as a table says what its columns are in its first event only', async (context) => {
  const { sender, post } = await setUp(context)
  await post('csr-1')
  const { lines } = await sender.watch('', {
    Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  })
  await post('csr-2')
  await eventually('several events are there', () => lines.length >= 3)
  const columns = lines.map((line) => Array.isArray(line.at('object', 'columnDefinitions')))
  assert.equal(columns, [true, ...columns.slice(1).map(() => false)])
  assert.is(lines[0]?.at('object', 'rows', 0, 'object', 'kind'), 'PartialObjectMetadata')
})

test('ends at once and in good order when the control plane is closed', {
  deadline: 5_000,
}, async (context) => {
  const { controlPlane, sender } = await setUp(context)
  const { ended } = await sender.watch(`timeoutSeconds=${minute}`)
  const before = performance.now()
  await controlPlane.close()
  assert.is(await ended, true)
  assert.ok(performance.now() - before < 1_000)
})
