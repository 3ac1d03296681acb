import * as O from 'fp-ts/lib/Option.js'

/**
 * IP addresses compared as addresses: `::1`, `0:0:0:0:0:0:0:1` and `::0001` are one, and `::ffff:10.0.0.1` is
 * `10.0.0.1`, as in Go's `net.IP.Equal`, which Kubernetes compares with.
 */

const octets = (text: string): O.Option<ReadonlyArray<number>> => {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
    ? O.some(parts.map(Number))
    : O.none
}

/** The 16-bit groups of one side of `::`; at the end of an address an IPv4 tail counts as two of them. */
const groups = (text: string, atEnd: boolean): O.Option<ReadonlyArray<number>> => {
  if (text === '') return O.some([])
  const parts = text.split(':')
  const out: Array<number> = []
  for (const [index, part] of parts.entries()) {
    const tail = atEnd && index === parts.length - 1 ? octets(part) : O.none
    if (O.isSome(tail)) {
      const [a = 0, b = 0, c = 0, d = 0] = tail.value
      out.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      out.push(Number.parseInt(part, 16))
    } else {
      return O.none
    }
  }
  return O.some(out)
}

const expanded = (text: string): O.Option<ReadonlyArray<number>> => {
  const [left = '', right, extra] = text.split('::')
  if (extra !== undefined) return O.none
  const head = groups(left, right === undefined)
  if (right === undefined) return O.isSome(head) && head.value.length === 8 ? head : O.none
  const tail = groups(right, true)
  if (O.isNone(head) || O.isNone(tail)) return O.none
  const missing = 8 - head.value.length - tail.value.length
  return missing >= 1 ? O.some([...head.value, ...new Array<number>(missing).fill(0), ...tail.value]) : O.none
}

/** One spelling for each address: dotted for IPv4 (also when mapped into IPv6), eight hex groups for IPv6. */
export const canonicalAddress = (text: string): O.Option<string> => {
  const ipv4 = octets(text)
  if (O.isSome(ipv4)) return O.some(ipv4.value.join('.'))
  if (!text.includes(':')) return O.none
  const ipv6 = expanded(text)
  if (O.isNone(ipv6)) return O.none
  const [, , , , , marker, high = 0, low = 0] = ipv6.value
  return marker === 0xffff && ipv6.value.slice(0, 5).every((group) => group === 0)
    ? O.some([high >> 8, high & 255, low >> 8, low & 255].join('.'))
    : O.some(ipv6.value.map((group) => group.toString(16)).join(':'))
}

/** Whether two spellings name one address; text that is no address equals only itself. */
export const sameAddress = (a: string, b: string): boolean => {
  const left = canonicalAddress(a)
  const right = canonicalAddress(b)
  return O.isSome(left) && O.isSome(right) ? left.value === right.value : a === b
}
