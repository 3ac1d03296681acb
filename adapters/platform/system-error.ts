/** Errors of the operating system, as values of ours: their code, and what they say without what libuv adds. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** The code of an error of the operating system (`ENOENT`, …), also of one that libuv has no name for (`EDQUOT`). */
export const codeOf = (thrown: unknown): string | undefined => {
  if (!(thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string')) return undefined
  if (!/^unknown/i.test(thrown.code) || !('errno' in thrown)) return thrown.code
  const { errno } = thrown
  const named = Object.entries(constants.errno).find(([, number]) => -number === errno)
  return named?.[0] ?? thrown.code
}

/** What libuv has no words for. */
const otherWords: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
}

/** Why an operation on a file failed: a clause with the code, without the path, which the sentence around it has. */
export const reasonOf = (thrown: unknown): string => {
  const errno = thrown instanceof Error && 'errno' in thrown ? thrown.errno : undefined
  const [code = codeOf(thrown), words = otherWords[code ?? ''] ?? 'an error of the operating system'] =
    (typeof errno === 'number' ? getSystemErrorMap().get(errno) : undefined) ?? []
  if (code !== undefined) return `${words} (${code})`
  return thrown instanceof Error && remedyOf(thrown) !== undefined ? thrown.message : 'an unexpected error'
}

/** An error of our own, where the operating system would not object: a clause, and what a person can do. */
export const objection = (message: string, remedy: string): Error =>
  Object.assign(new Error(message), { remedy })

/** What a person can do about an objection; undefined for any other error. */
export const remedyOf = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'remedy' in thrown && typeof thrown.remedy === 'string'
    ? thrown.remedy
    : undefined
