import { execFile } from 'node:child_process'
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { TestContext } from '../helper/index.js'
import type { Assets } from './assets.js'
import type { Node } from './node.js'

const Pair = t.type({ serialNumber: t.string, notAfter: t.string, path: t.string })
/** A certificate in a kubelet's store: its serial number in lower case, and the link that points to it. */
export type StoredPair = t.TypeOf<typeof Pair>

const Config = t.type({
  bootstraps: t.boolean,
  server: t.string,
  certificateFile: t.string,
  keyFile: t.string,
  embeddedCertificate: t.boolean,
})
/** What a kubelet uses when it starts; `bootstraps`: its first request goes out with the bootstrap token. */
export type ClientConfig = t.TypeOf<typeof Config>

const Cut = t.type({ changes: t.array(t.string), killed: t.boolean })

/** What a kubelet does with its certificate directory: its own code, in test/e2e/assets/kubelet-certificates.go. */
export interface Kubelet {
  /** What its store takes for the current pair; rejects when it finds none. */
  readonly current: (directory: string, prefix?: string) => Promise<StoredPair>
  readonly update: (directory: string, pair: string, prefix?: string) => Promise<StoredPair>
  /** The same, killed before the nth change to the directory; what it changed until then, or was about to. */
  readonly cut: (n: number, directory: string, pair: string) => Promise<t.TypeOf<typeof Cut>>
  readonly loadConfig: (node: Node) => Promise<ClientConfig>
  /** Starts its certificate manager and lets it renew once. */
  readonly rotate: (node: Node) => Promise<{
    readonly config: ClientConfig
    /** What it began with. */
    readonly before: StoredPair | undefined
    readonly after: StoredPair
  }>
}

/** Why there is none, where there is none. */
export const missingKubelet = ({ kubeletCertificates, folder }: Assets): string | undefined =>
  kubeletCertificates === undefined
    ? `there is no kubelet-certificates in ${folder}: test/e2e/assets/build.sh makes it for 1.20 alone`
    : undefined

/** What is started is ended with the test. */
export const createKubelet = ({ defer }: TestContext, { kubeletCertificates = '' }: Assets): Kubelet => {
  const run = (args: readonly string[], stdin = ''): Promise<readonly unknown[]> =>
    new Promise((resolve, reject) => {
      const child = execFile(kubeletCertificates, args, (error, stdout, stderr) => {
        process.off('exit', kill)
        if (error === null) resolve(stdout.trimEnd().split('\n').map(parse))
        else reject(new Error(`kubelet-certificates ${args.join(' ')}: ${stderr}`))
      })
      const kill = (): void => {
        child.kill('SIGKILL')
      }
      process.once('exit', kill)
      defer(kill)
      child.stdin?.on('error', () => {}).end(stdin)
    })
  const one = async <A>(codec: t.Decoder<unknown, A>, ...args: Parameters<typeof run>): Promise<A> =>
    decode(codec, (await run(...args))[0])
  const files = ({ kubeconfig, bootstrapKubeconfig, certDir }: Node) => [
    kubeconfig,
    bootstrapKubeconfig,
    certDir,
  ]
  return {
    current: (directory, prefix = 'kubelet-client') => one(Pair, ['current', directory, prefix]),
    update: (directory, pair, prefix = 'kubelet-client') => one(Pair, ['update', directory, prefix], pair),
    cut: (n, directory, pair) => one(Cut, ['cut', `${n}`, directory, 'kubelet-client'], pair),
    loadConfig: (node) => one(Config, ['load-config', ...files(node)]),
    rotate: async (node) => {
      const [config, ...pairs] = await run(['rotate', ...files(node), node.name])
      const before = pairs.length > 1 ? decode(Pair, pairs[0]) : undefined
      return { config: decode(Config, config), before, after: decode(Pair, pairs.at(-1)) }
    },
  }
}

const parse = (line: string): unknown => JSON.parse(line)

const decode = <A>(codec: t.Decoder<unknown, A>, value: unknown): A => {
  const decoded = codec.decode(value)
  if (isRight(decoded)) return decoded.right
  throw new Error(`kubelet-certificates answered ${JSON.stringify(value)}`)
}
