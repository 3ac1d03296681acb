/** The first line of a request. */
export interface RequestLine {
  readonly method: string
  /** With its query. */
  readonly path: string
}

/** Watches and followed logs, as Kubernetes' API spells them. */
export const isLongLived = (line: RequestLine): boolean => isWatch(line) || asks(line, 'follow')

/**
 * Whether it is a watch of Kubernetes' API: the server ends one after some minutes as if it were complete, and so may
 * we; whoever watches goes on from where it was. Of a log that would mean that there is no more of it.
 */
export const isWatch = (line: RequestLine): boolean => asks(line, 'watch')

const asks = ({ path }: RequestLine, parameter: string): boolean => {
  const start = path.indexOf('?')
  const value = start < 0 ? null : new URLSearchParams(path.slice(start + 1)).get(parameter)
  return value !== null && /^(1|t|true)$/i.test(value)
}
