/**
 * What a Kubernetes control plane decides about certificate requests, as pure functions: who may ask, what is admitted
 * and valid, what is approved, signed with what, valid from when to when, and deleted.
 */

export { knownUsages } from '../model/usages.js'
export * from './access.js'
export * from './admission.js'
export * from './approver.js'
export * from './cleaner.js'
export { type FieldError, inOneLine } from './field-error.js'
export * from './kubelet.js'
export * from './serving.js'
export * from './signer.js'
export * from './update.js'
export * from './usages.js'
export * from './validation.js'
export * from './validity.js'
