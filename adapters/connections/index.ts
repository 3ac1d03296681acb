/**
 * HTTP stacks that follow a credential: `follow` a source, and give what it answers to the adapter of your stack. Good
 * with a rotation, and alone with a pair of files that somebody else renews.
 */
export { type FileSources, type Files, type FilesOptions, fromFiles } from './files.js'
export { type Following, type FollowOptions, follow, type Rejection } from './follow.js'
export type { Connection, Generation } from './generation.js'
export { type Http2Client, http2Client } from './http2.js'
export { httpsAgent } from './https.js'
export type { RequestLine } from './long-lived.js'
export type { Address, Route } from './route.js'
export { tlsServer } from './server.js'
export {
  type Count,
  type Credential,
  type Problem,
  type Source,
  type Sources,
  type Variable,
  variable,
} from './source.js'
