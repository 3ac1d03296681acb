/** The certificate store in a directory: the kubelet's own layout, so that either can take over from the other. */
export { run } from '../platform/promise.js'
export type { FallbackPair } from './contents.js'
export {
  askHolderOfCertificateDirectory,
  type CertificateDirectory,
  type CertificateDirectoryOptions,
  holderOfCertificateDirectory,
  openCertificateDirectory,
  prefixesInCertificateDirectory,
  readCertificateDirectory,
} from './directory.js'
export { type Answerer, type Question, unknownQuestion } from './holder-protocol.js'
export type { LockHolder } from './lock.js'
export { type Holder, holderInWords } from './lock-holder.js'
