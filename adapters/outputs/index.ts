export type { Attributes } from '../platform/write-file.js'
export { outputDirectory } from './directory.js'
export { outputBundle, outputKubeconfig } from './file.js'
export { type Kept, keepOutput } from './keep.js'
