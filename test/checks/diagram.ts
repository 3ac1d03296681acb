/**
 * The state diagram in README.md, between its markers, is what the machine does.
 *
 * `node dist/test/checks/diagram.js --write` puts the diagram of now there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { diagram, type Transition, transitions } from '../src/machine/diagram.js'
import { markersOf, withGenerated } from './generated.js'

const readme = join(import.meta.dirname, '../../../README.md')
const name = 'state diagram'

/** The text with the diagram between the markers; undefined when a marker is missing. */
export const withDiagram = (text: string, drawn: string): string | undefined =>
  withGenerated(text, name, drawn)

/** Whether the README has a transition. */
export const isDrawn = ({ from, to, label }: Transition): boolean => {
  const [, labels] = new RegExp(`^  ${from} --> ${to}: (.*)$`, 'm').exec(readFileSync(readme, 'utf8')) ?? []
  return `, ${labels}, `.includes(`, ${label}, `)
}

/** What is wrong with the README's state diagram; nothing when it is current. */
export const diagramFinding = (): string | undefined => {
  const text = readFileSync(readme, 'utf8')
  const current = withDiagram(text, diagram(transitions()))
  if (current === undefined) return `README.md lacks the markers ${markersOf(name).join(' and ')}`
  return current === text
    ? undefined
    : 'the state diagram in README.md is not what the machine does: run node dist/test/checks/diagram.js --write, and read the diff'
}

if (process.argv.includes('--write')) {
  const current = withDiagram(readFileSync(readme, 'utf8'), diagram(transitions()))
  if (current === undefined) throw new Error(`README.md lacks the markers ${markersOf(name).join(' and ')}`)
  writeFileSync(readme, current)
}
