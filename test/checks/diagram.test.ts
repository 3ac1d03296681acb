import { assert, suite, thorough } from '../helper/index.js'
import { diagram, transitions } from '../src/machine/diagram.js'
import { diagramFinding, isDrawn, withDiagram } from './diagram.js'

const test = suite('state diagram')

test('is in the README as the machine is', { deadline: 60_000 }, () => {
  if (thorough) {
    assert.is(diagramFinding(), undefined)
    return
  }
  const found = transitions(2_000)
  assert.ok(found.length > 20)
  assert.equal(
    found.filter((transition) => !isDrawn(transition)),
    [],
  )
})

test('draws one arrow for each pair of states, with all reasons', () => {
  const rows = [
    { from: 'Pending', label: 'approved', to: 'Approved' },
    { from: 'Approved', label: 'issued', to: 'delivered' },
    { from: 'Pending', label: 'noticed', to: 'Approved' },
  ]
  assert.match(
    diagram(rows),
    '\n  Pending --> Approved: approved, noticed\n  Approved --> delivered: issued\n',
  )
})

test('replaces what is between the markers, and nothing else', () => {
  const text = 'a\n<!-- state diagram: generated -->\nold\n<!-- end of state diagram -->\nb'
  assert.is(withDiagram(text, 'new'), text.replace('old', 'new'))
  assert.is(withDiagram('no markers', 'new'), undefined)
})
