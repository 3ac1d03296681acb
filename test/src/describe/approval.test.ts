import { approvalByHand } from '../../../src/describe/approval.js'
import { clientTemplate, kubeletClientTemplate } from '../../../src/model/template.js'
import { assert, suite } from '../../helper/index.js'

const test = suite('approval by hand')

const draft = { name: 'csr-1', keyId: '', pem: '' }

test('is spoken of where the controller manager leaves a request alone', () => {
  assert.is(approvalByHand({ ...draft, template: kubeletClientTemplate('a') }), '')
  assert.match(
    approvalByHand({ ...draft, template: clientTemplate('a', []) }),
    'approves none for kubernetes.io/kube-apiserver-client, so somebody has to: kubectl certificate approve csr-1',
  )
})
