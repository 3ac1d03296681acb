/**
 * The front door: a certificate that renews itself, for those who want to start it in a few lines. What is inside, for
 * those who swap adapters or read events, is `kube-cert-rotation/core`.
 */

export type { StateName, Transition } from '../../src/describe/transition.js'
export type { Limits } from '../../src/driver/limits.js'
export type { Ports } from '../../src/driver/perform.js'
export type { Facts } from '../../src/machine/facts.js'
export type { State } from '../../src/machine/state.js'
export type { Metrics } from '../../src/metrics/metrics.js'
export type { KeyAlgorithm } from '../../src/model/key-algorithm.js'
export { defaultPolicy, type RotationPolicy } from '../../src/model/policy.js'
export {
  type CertificateTemplate,
  clientTemplate,
  kubeletClientTemplate,
} from '../../src/model/template.js'
export {
  type CommandOptions,
  commandHook,
  type Hook,
  type HookError,
  type Renewal,
  type SignalOptions,
  signalHook,
} from '../hooks/index.js'
export { type Attributes, outputBundle, outputDirectory, outputKubeconfig } from '../outputs/index.js'
export { wallClock } from '../platform/clock.js'
export { run } from '../platform/promise.js'
export type { Messages, RotationName } from './channels.js'
export type { Credential, TlsOptions } from './credential.js'
export { type Fleet, type FleetOptions, openFleet, startRotation, startRotationTask } from './fleet.js'
export type { Asked, InvalidOptions, Renewed, RotationOptions } from './options.js'
export type { RunningRotation, StartError, Stopped } from './start.js'
