import { pemBlocks } from '../../src/model/pem.js'

export const toPem = (label: string, der: ArrayBuffer | Uint8Array): string => {
  const lines =
    Buffer.from(new Uint8Array(der))
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The DER of the first block with the label. Throws when there is none, or it is not base64. */
export const fromPem = (label: string, pem: string): Buffer => {
  const block = pemBlocks(pem).find((candidate) => candidate.label === label)
  if (block === undefined) throw new Error(`there is no ${label} block`)
  const base64 = block.text.split('\n').slice(1, -2).join('')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Error(`the ${label} block is not base64`)
  return Buffer.from(base64, 'base64')
}
