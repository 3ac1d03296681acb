/** The first line of a request. */
export interface RequestLine {
  readonly method: string
  /** With its query. */
  readonly path: string
}

/** Watches and followed logs, as Kubernetes' API spells them. */
export const isLongLived = ({ path }: RequestLine): boolean => {
  const query = new URLSearchParams(path.slice(path.indexOf('?') + 1))
  return path.includes('?') && ['watch', 'follow'].some((name) => /^(1|t|true)$/i.test(query.get(name) ?? ''))
}
