/** A scenario with a place for its locks, and the ways of losing the power in it. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cryptoBackend } from '../../../../adapters/crypto/index.js'
import { diceOf } from '../../../faults/dice.js'
import { sample, seed, type TestContext } from '../../../helper/index.js'
import type { Start } from './check.js'
import type { DirectoryNode } from './disk.js'
import { identities, remembering } from './identities.js'
import { type Crash, expectedOf, goingOn, type PlayOptions, play } from './play.js'
import { diskOf, type Scenario } from './scenarios.js'
import { copyOf, fingerprint } from './states.js'

const who = await identities()
const crypto = remembering(cryptoBackend)

export interface Prepared {
  readonly scenario: Scenario
  readonly start: Start
  readonly options: PlayOptions
  readonly disk: () => DirectoryNode
  /** Of the certificate directory: it is there in memory, and for real, where the locks are. */
  readonly parent: string
}

export const prepare = async (context: TestContext, scenario: Scenario): Promise<Prepared> => {
  const parent = join(await context.temporaryDirectory(), 'lib')
  const directory = join(parent, 'pki')
  mkdirSync(directory, { recursive: true })
  const disk = () => diskOf(scenario, who, directory)
  const rotated = new Set<string>()
  const rotates = (crash: Crash): boolean => rotated.size === rotated.add(fingerprint(crash.disk)).size
  return {
    scenario,
    start: { directory, who, crypto, beginning: disk(), rotates },
    options: { directory, who, dice: diceOf(seed), most: sample(1024, 16_384) },
    disk,
    parent,
  }
}

/** All steps, and no other trouble. */
export const playWhole = ({ scenario, options, disk }: Prepared, more: Partial<PlayOptions> = {}) =>
  play(disk(), { expected: expectedOf(scenario), steps: async () => scenario.steps }, { ...options, ...more })

/** The process is killed before a call, which loses nothing; another goes on, and then the power is lost. */
export const playKilled = async (
  { scenario, options, disk: begin }: Prepared,
  killedAt: number,
  more: Partial<PlayOptions> = {},
) => {
  const disk = begin()
  const steps = async () => scenario.steps
  const { expected } = await play(disk, { expected: expectedOf(scenario), killedAt, steps }, options)
  const last = scenario.steps.at(-1) ?? ['discard']
  const again = last[0] === 'install' ? goingOn(last[1], who) : steps
  return play(disk, { expected, steps: again }, { ...options, ...more })
}

/** The power is lost again, while a start puts in order what the first loss left. */
export const playStart = ({ disk, possible, linked }: Crash, { options }: Prepared) =>
  play(copyOf(disk), { expected: { possible, linked }, steps: async () => [] }, options)
