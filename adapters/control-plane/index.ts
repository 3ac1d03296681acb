/**
 * A control plane of one's own: a local API server for certificate requests, with approver and signers. For trying,
 * for tests, and for agents that bring their own authority.
 *
 * ```ts
 * const started = await startControlPlane({ dataDir, clusterSigningDuration: 60_000 })()
 * if (isRight(started)) {
 *   // kubectl --kubeconfig $dataDir/admin.kubeconfig get csr -w
 *   await started.right.close()
 * }
 * ```
 */

export type { DeclaredNode } from '../../src/control-plane/index.js'
export { run } from '../platform/promise.js'
export type { Approver, RequestToDecide, Verdict } from './approving.js'
export type { UserToken } from './authentication.js'
export { startControlPlane } from './control-plane.js'
export type { Gate } from './controllers.js'
export type { ControlPlaneError } from './error.js'
export type { ApiCall, ControlPlaneEvent } from './event.js'
export type { ControlPlane, ControlPlaneOptions } from './types.js'
