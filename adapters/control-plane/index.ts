/**
 * A control plane of one's own: a local API server for certificate requests, with approver and signers. For trying,
 * for tests, and for agents that bring their own authority.
 */

export { startControlPlane } from './control-plane.js'
export type { Gate } from './controllers.js'
export type { ControlPlaneError } from './error.js'
export type { ApiCall, ControlPlaneEvent } from './event.js'
export type { ControlPlane, ControlPlaneOptions } from './types.js'
