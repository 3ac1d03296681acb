/**
 * What each port promises, as checks for whoever implements one: named, asynchronous, and of no test framework. `run`
 * rejects with an `Error` that says what is not as it should be.
 *
 * ```ts
 * for (const { name, run } of storeContract(openMyStore)) test(name, run)
 * ```
 */
export type { Check } from './check.js'
export { clockContract } from './clock.js'
export { type CredentialsSubject, credentialsContract } from './credentials.js'
export { type CryptoSubject, cryptoContract } from './crypto.js'
export { type OutputSubject, outputContract } from './output.js'
export { type RequestsSubject, requestsContract } from './requests.js'
export { type StoreSubject, storeContract } from './store.js'
export { type TrustSubject, trustContract } from './trust.js'
