const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const valueByCharacter = new Map([...alphabet].map((character, value) => [character, value]))

/**
 * The text that base64 (RFC 4648, 4) stands for, one character a byte: enough for PEM, which is ASCII. What is not of
 * the alphabet is passed over, padding and line ends included.
 */
export const textFromBase64 = (base64: string): string => {
  const codes: Array<string> = []
  let buffer = 0
  let bits = 0
  for (const character of base64) {
    const value = valueByCharacter.get(character)
    if (value === undefined) continue
    buffer = ((buffer << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      codes.push(String.fromCharCode((buffer >> bits) & 0xff))
    }
  }
  return codes.join('')
}
