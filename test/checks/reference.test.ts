import { logFields } from '../../adapters/command-line/log-fields.js'
import { transitionLine } from '../../adapters/command-line/output.js'
import { assert, suite } from '../helper/index.js'
import { withGenerated } from './generated.js'
import { referenceFindings } from './reference.js'

const test = suite('reference')

test('of metrics, alerts, log fields and kinds of failure is in the pages as they are defined', () => {
  assert.equal(referenceFindings(), [])
})

test('has every field of a line of the log', () => {
  const line: unknown = JSON.parse(
    transitionLine('json', {
      at: new Date(0),
      level: 'info',
      from: 'Issued',
      to: 'Issued',
      reason: 'Installed',
      message: 'm',
      certificate: 'client',
      csr: 'c',
      serialNumber: '01',
      notAfter: new Date(0),
      rotateAt: new Date(0),
    }),
  )
  assert.equal(
    Object.keys(Object(line)),
    logFields.map(({ name }) => name),
  )
})

test('is put between its markers, and nowhere without them', () => {
  const text = 'a\n<!-- x: generated -->\nold\n<!-- end of x -->\nb'
  assert.is(withGenerated(text, 'x', 'new'), text.replace('old', 'new'))
  assert.is(withGenerated(text, 'y', 'new'), undefined)
})
