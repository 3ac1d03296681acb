import * as E from 'fp-ts/lib/Either.js'

/** Of a node that is bootstrapped. */
export const flagsOfNode = {
  'bootstrap-kubeconfig': '/etc/boot/token.conf',
  kubeconfig: '/etc/kubernetes/kubelet.conf',
} as const

/** What was read; a failure with what is wrong. */
export const get = <A>(read: E.Either<{ readonly message: string; readonly hint: string }, A>): A => {
  if (E.isLeft(read)) throw new Error(`${read.left.message}; ${read.left.hint}`)
  return read.right
}
