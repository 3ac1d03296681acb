import { execFile } from 'node:child_process'

/** What a program printed and its exit code. */
export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface KubectlOptions {
  readonly kubeconfig?: string
  readonly stdin?: string
}

export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<Output>

/** kubectl with a home and a default kubeconfig of its own; never rejects for its exit code. */
export const createKubectl =
  (program: string, home: string, defaultKubeconfig: string): Kubectl =>
  (args, { kubeconfig = defaultKubeconfig, stdin } = {}) =>
    new Promise((resolve) => {
      const child = execFile(
        program,
        args,
        { env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig } },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
          resolve({ code, stdout, stderr })
        },
      )
      child.stdin?.end(stdin)
    })
