/** A client as the README shows it: asks the server, which answers with the certificate it saw. */
export interface Example {
  readonly ask: () => Promise<unknown>
  readonly close: () => unknown
}
