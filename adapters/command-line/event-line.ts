/** What happens in a control plane, in the words of kubectl. */
import * as O from 'fp-ts/lib/Option.js'
import { printable } from '../../src/model/printable.js'
import { rfc3339 } from '../../src/model/time.js'
import type { ApiCall, ControlPlaneEvent } from '../control-plane/index.js'

/** An event in a line. */
export const eventLine = (event: ControlPlaneEvent): string => printable(inWords(event))

const inWords = (event: ControlPlaneEvent): string => {
  switch (event._tag) {
    case 'Call':
      return callLine(event)
    case 'Approved':
      return `${event.name} approved`
    case 'Denied':
      return `${event.name} denied: ${event.reason}: ${event.message}`
    case 'Issued':
      return `${event.name} issued, certificate ${event.serialNumber} until ${rfc3339(event.notAfter)}`
    case 'Failed':
      return `${event.name} failed: ${event.message}`
    case 'Cleaned':
      return `${event.name} cleaned up: ${event.reason}`
    case 'NotApproved':
      return `${event.name} not approved: ${event.reason}`
    case 'NotSigned':
      return `${event.name} not signed: ${event.reason}`
  }
}

/** `201 POST certificatesigningrequests by system:node:a with certificate 51a6…`. */
const callLine = ({ code, method, path, user, certificateSerialNumber }: ApiCall): string => {
  const whom = O.isSome(user) ? `by ${user.value}` : 'by nobody it knows'
  const means = O.isSome(certificateSerialNumber) ? ` with certificate ${certificateSerialNumber.value}` : ''
  return `${code} ${called(method, path)} ${whom}${means}`
}

/** The method and what stands behind group and version; a watch of one object is a verb of its own. */
const called = (method: string, path: string): string => {
  const [place = '', query = ''] = path.split('?', 2)
  const resource = place.replace(/^\/(?:api|apis\/[^/]+)\/v1\//, '')
  const parameters = new URLSearchParams(query)
  if (!['1', 'true'].includes(parameters.get('watch') ?? '')) return `${method} ${resource}`
  return `WATCH ${parameters.get('fieldSelector')?.replace(/^metadata\.name=/, '') ?? resource}`
}
