/** What a fleet is lived in: the scenario, the machine, the world around, and what is written down. */

import { endOfTime, type Instant, instant, type Milliseconds } from '../model/time.js'
import type { Machine } from './machine.js'
import type { Nodes } from './nodes.js'
import * as its from './nodes.js'
import type { Recorder } from './record.js'
import type { Scenario } from './scenario.js'
import type { World } from './world.js'

export interface Setting {
  readonly scenario: Scenario
  readonly machine: Machine
  readonly around: World
  readonly record: Recorder
  readonly rows: Nodes
  /** From one probe to the next. */
  readonly period: Milliseconds
  /** Whether what nothing can interfere with is computed, and not gone through. */
  readonly skip: boolean
  readonly present: Present
}

/** What changes while it is lived, beside what is kept of each node. */
export interface Present {
  /** When the node whose turn it is goes on. */
  due: Milliseconds
  /** How many nodes are at rest: their probes take a part of what the server bears. */
  atRest: number
}

/** The node whose turn it is goes on then, or when something interrupts it. */
export const look = ({ rows, present }: Setting, node: number, time: Milliseconds): undefined => {
  present.due = Math.min(time, rows.get(node, its.cut))
}

/** Whether what a node does now is not told to its machine yet. */
export const isQuiet = ({ rows }: Setting, node: number): boolean => rows.get(node, its.isQuiet) === 1

/** The time of a node's own clock. */
export const local = ({ scenario, rows }: Setting, node: number, time: Milliseconds): Instant =>
  instant(scenario.start + time + rows.get(node, its.skew))

/** When a node's clock says so, from the start. */
export const offset = ({ scenario, rows }: Setting, node: number, time: Instant): Milliseconds =>
  time === endOfTime ? endOfTime : time - scenario.start - rows.get(node, its.skew)

/** When its certificate expires by its own clock. */
export const expiry = (setting: Setting, node: number): Milliseconds =>
  offset(setting, node, instant(setting.rows.get(node, its.notAfter)))
