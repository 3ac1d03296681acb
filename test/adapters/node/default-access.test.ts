import { missingAccess } from '../../../adapters/node/default-access.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('where the API is')

test('what was meant to say it and is not there is named', () => {
  assert.is(missingAccess({}), '')
  assert.is(
    missingAccess({ KUBECONFIG: '/nope:/neither' }),
    'KUBECONFIG names /nope:/neither, which is not there',
  )
  assert.match(
    missingAccess({ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }),
    /^KUBERNETES_SERVICE_HOST is set, and the token of a service account is not there: \/var\/run\/secrets/,
  )
  assert.match(missingAccess({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }), /and no KUBERNETES_SERVICE_PORT;/)
})
