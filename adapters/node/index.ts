/**
 * The front door: a certificate that renews itself, for those who want to start it in a few lines. The core is here too,
 * for those who want to look inside.
 */

export { rotateAt, type StateName, type Transition, transitionOf } from '../../src/describe/transition.js'
export * from '../../src/index.js'
export { wallClock } from '../platform/clock.js'
export type { Credential, TlsOptions } from './credential.js'
export { type Fleet, type FleetOptions, openFleet, startRotation, startRotationTask } from './fleet.js'
export type { InvalidOptions, RotationOptions } from './options.js'
export type {
  RunningRotation,
  StartError,
  Stopped,
} from './start.js'
