/** Whether the API server can be verified by both kubeconfigs, from files alone. */
import * as E from 'fp-ts/lib/Either.js'
import type { Report } from './status-report.js'

export interface Kubeconfigs {
  /** The kubeconfig that uses the certificate, and the one to bootstrap from: compared where both are given. */
  readonly kubeconfig?: string
  readonly bootstrapKubeconfig?: string
}

/** Why the API server may not be verified with the kubeconfig: a sentence. */
export const trustProblem = async ({
  kubeconfig,
  bootstrapKubeconfig,
}: Kubeconfigs): Promise<E.Either<string, string | undefined>> => {
  if (kubeconfig === undefined || bootstrapKubeconfig === undefined) return E.right(undefined)
  // Loaded only when it is asked for.
  const { haveNoCommonAuthority } = await import('../node/kubeconfigs.js')
  const differ = await haveNoCommonAuthority(kubeconfig, bootstrapKubeconfig)()
  if (E.isLeft(differ)) return E.left(`${differ.left.message}; ${differ.left.remedy}`)
  return E.right(
    differ.right
      ? `The API server cannot be verified by both kubeconfigs: no CA in ${kubeconfig} is in ${bootstrapKubeconfig}. If the cluster's CA was replaced, kube-cert-rotation run finds out which is right, and corrects ${kubeconfig}.`
      : undefined,
  )
}

export const withTrust = (report: Report, problem: E.Either<string, string | undefined>): Report => {
  if (E.isLeft(problem)) return { ...report, warnings: [...report.warnings, problem.left] }
  return problem.right === undefined
    ? report
    : { ...report, usable: false, explanation: `${report.explanation} ${problem.right}` }
}
