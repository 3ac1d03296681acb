/** The fields of a line of `--log-format=json`, in their order; a field that has nothing to say is left out. */
import type { Transition } from '../../src/describe/transition.js'
import { instant, rfc3339 } from '../../src/model/time.js'

/** A transition, and whose it is where several certificates are kept by a file. */
export interface Told extends Transition {
  readonly certificate?: string
}

export interface LogField {
  readonly name: string
  readonly type: 'instant' | 'text' | 'hexadecimal'
  /** One sentence. */
  readonly help: string
  readonly read: (told: Told) => string | undefined
}

/** RFC 3339 in UTC, with milliseconds where there are any. */
export const precisely = (at: Date): string => rfc3339(instant(at.getTime()))

const perhaps = (at: Date | undefined): string | undefined => at && precisely(at)

/** The first three are in every line. */
export const logFields: ReadonlyArray<LogField> = [
  {
    name: 'time',
    type: 'instant',
    help: 'When it happened.',
    read: ({ at }) => precisely(at),
  },
  {
    name: 'level',
    type: 'text',
    help: '`error`, `warn`, `info`, or `debug` with `--log-level=debug`.',
    read: ({ level }) => level,
  },
  {
    name: 'msg',
    type: 'text',
    help: 'What happened, in a sentence.',
    read: ({ message }) => message,
  },
  {
    name: 'certificate',
    type: 'text',
    help: 'With `--config`: the name of the certificate in the file.',
    read: ({ certificate }) => certificate,
  },
  {
    name: 'from',
    type: 'text',
    help: 'The state before: `Bootstrapping`, `Pending`, `Approved`, `Issued` or `RenewDue`.',
    read: ({ from }) => from,
  },
  {
    name: 'to',
    type: 'text',
    help: 'The state after; often the same.',
    read: ({ to }) => to,
  },
  {
    name: 'reason',
    type: 'text',
    help: 'The word to search for: an event, a kind of failure, or what the time made of the certificate.',
    read: ({ reason }) => reason,
  },
  {
    name: 'csr',
    type: 'text',
    help: 'The name of the CertificateSigningRequest that it is about.',
    read: ({ csr }) => csr,
  },
  {
    name: 'serialNumber',
    type: 'hexadecimal',
    help: 'The certificate that it is about, in lower case.',
    read: ({ serialNumber }) => serialNumber,
  },
  {
    name: 'notAfter',
    type: 'instant',
    help: 'When that certificate expires.',
    read: ({ notAfter }) => perhaps(notAfter),
  },
  {
    name: 'rotateAt',
    type: 'instant',
    help: 'When it is to be renewed, once it is in use.',
    read: ({ rotateAt }) => perhaps(rotateAt),
  },
]
