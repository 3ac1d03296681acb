import { execFile, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The Kubernetes programs that a cluster is made of, and the version they are. */
export interface Assets {
  readonly folder: string
  readonly etcd: string
  readonly kubeApiserver: string
  readonly kubeControllerManager: string
  /** The kubectl beside the others, which is of their version; else the one on the PATH. */
  readonly kubectl: string
  /** What assets/build.sh adds; a folder that KUBEBUILDER_ASSETS names may have none. */
  readonly kubeletCertificates: string | undefined
  readonly version: KubernetesVersion
}

/** A Kubernetes version; all of them so far are 1.minor. */
export interface KubernetesVersion {
  readonly major: number
  readonly minor: number
  /** As the program says it: `v1.20.2`. */
  readonly text: string
}

const buildScript = fileURLToPath(new URL('../../../test/e2e/assets/build.sh', import.meta.url))

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isProgram)

/** What a line such as `Kubernetes v1.36.2` says, or an error. */
export const parseVersion = (text: string): KubernetesVersion => {
  const match = /v(\d+)\.(\d+)\.\S+/.exec(text)
  if (match === null) throw new Error(`no Kubernetes version in ${JSON.stringify(text)}`)
  return { major: Number(match[1]), minor: Number(match[2]), text: match[0] }
}

const build = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(buildScript, { stdio: ['ignore', 'pipe', 'inherit'] })
    const stop = (): void => {
      child.kill('SIGTERM')
    }
    process.once('exit', stop)
    let folder = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      folder += text
    })
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', stop)
      if (code === 0) resolve(folder.trim())
      else reject(new Error(`${buildScript} ended with ${code}; it says above what was missing`))
    })
  })

const inFolder = async (folder: string): Promise<Assets> => {
  const program = (name: string): string => {
    const path = join(folder, name)
    if (isProgram(path)) return path
    throw new Error(
      `there is no program ${path}: KUBEBUILDER_ASSETS must name a folder with etcd, kube-apiserver and ` +
        'kube-controller-manager (setup-envtest brings the first two; add the third of the same version)',
    )
  }
  const kubectl = [join(folder, 'kubectl')].find(isProgram) ?? onPath('kubectl')
  if (kubectl === undefined) throw new Error(`there is no kubectl, neither in ${folder} nor on the PATH`)
  const kubeApiserver = program('kube-apiserver')
  const { stdout } = await promisify(execFile)(kubeApiserver, ['--version'])
  return {
    folder,
    etcd: program('etcd'),
    kubeApiserver,
    kubeControllerManager: program('kube-controller-manager'),
    kubectl,
    kubeletCertificates: [join(folder, 'kubelet-certificates')].find(isProgram),
    version: parseVersion(stdout),
  }
}

/**
 * Finds the programs: in the folder that KUBEBUILDER_ASSETS names (envtest's convention), else in the cache
 * folder, where assets/build.sh puts what it builds; it takes minutes, once a machine.
 */
export const resolveAssets = async (): Promise<Assets> => {
  const named = process.env['KUBEBUILDER_ASSETS']
  return inFolder(named === undefined || named === '' ? await build() : named)
}
