/**
 * One line of at most `limit` characters. What others say (a server, a certificate, a file name) is printed, and is not
 * to move a terminal's cursor, forge a line of a log, or fill it.
 */
export const printable = (text: string, limit = 1_000): string => {
  const line = text.slice(0, 2 * limit).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
  return line.length > limit || text.length > 2 * limit ? `${line.slice(0, limit)}…` : line
}
