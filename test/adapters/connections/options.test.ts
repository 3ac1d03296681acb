/** Options that would be passed over in silence are an error. */
import * as https from 'node:https'
import * as O from 'fp-ts/lib/Option.js'
import {
  type Files,
  type FilesOptions,
  type FollowOptions,
  follow,
  fromFiles,
  http2Client,
  httpsAgent,
  tlsServer,
  variable,
} from '../../../adapters/connections/index.js'
import { dispatcher } from '../../../adapters/connections/undici/index.js'
import { assert, suite, type TestContext } from '../../helper/index.js'
import { credentialSource, newPki } from './pki.js'

const test = suite('options of connections')

const following = async ({ defer }: TestContext) => {
  const pki = await newPki()
  const followed = follow({
    credentials: credentialSource(await pki.client()),
    trust: variable(O.some(pki.ca)),
  })
  defer(followed.close)
  return followed
}

for (const name of ['ca', 'cert', 'key', 'pfx'])
  test(`refuses ${name}, which would have no effect, and says what to use instead`, async (context) => {
    const followed = await following(context)
    const own = { [name]: 'PEM' }
    const said = new RegExp(`^${name} in the options of .* would have no effect; give follow\\(\\)`)
    assert.throws(() => httpsAgent(followed, own), said)
    assert.throws(() => http2Client(followed, 'https://localhost', own), said)
    assert.throws(() => tlsServer(followed, https.createServer(), own), said)
    assert.throws(() => dispatcher(followed, { connect: own }), said)
    const agent = httpsAgent(followed, { [name]: undefined })
    assert.throws(() => https.get('https://localhost', { agent, ...own }), said)
  })

test('a server keeps CAs of its own where none are followed', async (context) => {
  const pki = await newPki()
  const followed = follow({ credentials: credentialSource(await pki.client()) })
  context.defer(followed.close)
  const end = tlsServer(followed, https.createServer(), { ca: pki.ca })
  end()
})

test('refuses a misspelt option, and names the one that was meant', async () => {
  const options: FollowOptions = { ...{ graze: 5 }, trustOverlap: 5 }
  assert.throws(() => follow({}, options), /no option graze of follow; did you mean grace\?/)
  const files: Files = { ...{ cert: 'tls.crt' }, ca: 'ca.crt' }
  assert.throws(() => fromFiles(files), /no option cert of fromFiles; did you mean certificate\?/)
  const looks: FilesOptions = { ...{ intervall: 5 }, onProblem: () => {} }
  assert.throws(() => fromFiles({}, looks), /no option intervall of fromFiles; did you mean interval\?/)
})
