/** How a server says that it does not take our certificate. */

/** Alerts about our certificate, or the lack of one (RFC 8446, 6.2). */
const aboutUs: ReadonlyMap<number, string> = new Map([
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [44, 'certificate_revoked'],
  [45, 'certificate_expired'],
  [46, 'certificate_unknown'],
  [48, 'unknown_ca'],
  [49, 'access_denied'],
  [116, 'certificate_required'],
])

/**
 * The name of the TLS alert about our certificate, if the error is one. By OpenSSL's message: the code says so only once
 * the handshake is over (TLS 1.3), and is `EPROTO` before (TLS 1.2).
 */
export const alertAboutUs = (error: Error): string | undefined => {
  const [, number] = /SSL alert number (\d+)/.exec(error.message) ?? []
  return aboutUs.get(Number(number))
}

/** Tells of a TLS alert about our certificate, if the error is one. */
export const noticeAlert = (error: unknown, rejected: (reason: string) => void): void => {
  const alert = error instanceof Error ? alertAboutUs(error) : undefined
  if (alert !== undefined) rejected(`TLS alert ${alert}`)
}

/** In bytes: a Kubernetes `Status` has a few hundred. */
const longestStatus = 8 * 1024

/**
 * Tells of a 401 at once. For a 403 the answer takes the pieces of the body, and tells when they name
 * `system:anonymous`: whom Kubernetes knows by a certificate it would not call that.
 */
export const noticeStatus = (
  status: number,
  rejected: (reason: string) => void,
): ((chunk: Uint8Array) => void) | undefined => {
  if (status === 401) rejected('status 401')
  if (status !== 403) return undefined
  let seen = ''
  let told = false
  return (chunk) => {
    if (told || seen.length >= longestStatus) return
    seen += Buffer.from(chunk).toString('latin1', 0, longestStatus)
    told = seen.includes('system:anonymous')
    if (told) rejected('status 403 for system:anonymous')
  }
}
