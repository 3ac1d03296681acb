/**
 * Text that must not be seen by accident: a private key, a token. It is a function inside a record, so that printing,
 * inspecting or serialising the record shows nothing.
 */
export interface Secret {
  readonly reveal: () => string
}

/** Hides `text` until somebody calls `reveal`. */
export const secret = (text: string): Secret => ({ reveal: () => text })
