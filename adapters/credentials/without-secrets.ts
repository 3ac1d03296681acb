/** What a program of somebody else's printed, so that it can be shown: without what it was given, and what looks secret. */

const hidden = '[secret]'

/**
 * Without the secrets that are known, and what looks like one: a key in PEM; what follows `Bearer` and `Basic`; the value
 * of what is called a password, secret, token, key or credential, after `=`, `:` or a blank, in JSON, or of a flag; the
 * user in a URL; a JSON Web Token, a bootstrap token, 32 hexadecimal digits, 32 characters of base64, 40 letters and
 * digits in one piece. Rather too much than too little: words of a sentence stay.
 */
export const withoutSecrets = (text: string, secrets: ReadonlyArray<string>): string =>
  shapes.reduce(
    (rest, hide) => hide(rest),
    secrets
      // Shorter ones are no secrets (`true`, a region), and would take letters out of words.
      .filter((one) => one.length >= 8)
      .reduce((rest, one) => rest.replaceAll(one, hidden), text),
  )

/** A value: in quotes, in brackets, or up to the next blank. */
const value = String.raw`(\\*"(?:[^"\\]|\\.)*"?|\\*'[^']*'?|[[{][^\]}]*[\]}]?|\S+)`
const name = String.raw`[\w.-]*?(password|passwd|passphrase|pwd|secret|token|key|credential|authorization)[\w.-]*`

/** Words that come after such names in sentences. */
const plainWords =
  /^(a|an|and|are|as|at|auth\w*|be|by|cannot|can't|could|credentials?|could|did|does|endpoint|expired|failed|file|flag|for|from|has|have|helper|if|in|incorrect|invalid|is|isn't|missing|must|needs?|no|not|of|on|option|or|process|provider|realm|rejected|required|scheme|server|should|store|that|the|to|token|tokens|unknown|vault|was|were|will|with|wrong)[.,;:!?)]*$/i
/** A word of any sentence, or the path of a file. */
const anyWord = /^([A-Za-z]?[a-z]+(['-][a-z]+)*[.,;:!?)]*|["']?\.{0,2}\/[^+=\s]{0,30}|)$/

const isPlain = (word: string, named: string): boolean =>
  plainWords.test(word) || (/secret|token|key|credential/i.test(named) && anyWord.test(word))

const shapes: ReadonlyArray<(text: string) => string> = [
  (text) =>
    text
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs, hidden)
      // The beginning may be cut off.
      .replace(/^.*-----END [A-Z ]*PRIVATE KEY-----/s, hidden),
  (text) => text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi, `$1${hidden}@`),
  (text) =>
    text.replace(/\b(bearer|basic)(\s+)(\S+)/gi, (all, scheme, blank, word) =>
      plainWords.test(word) ? all : `${scheme}${blank}${hidden}`,
    ),
  // A flag, and what is given to it.
  (text) =>
    text.replace(
      new RegExp(String.raw`(?<![\w-])(--?${name})(\s*=\s*|\s+)(?!-)${value}`, 'gi'),
      (all, flag, _, separator, word) =>
        !separator.includes('=') && plainWords.test(word) ? all : `${flag}${separator}${hidden}`,
    ),
  // `name=value`, `name: value`, `"name":"value"`.
  (text) =>
    text.replace(
      new RegExp(String.raw`(?<![\w-])(${name}\\*["']?)(\s*=\s*|\s*:\s*)${value}`, 'gi'),
      (all, given, named, separator, word) =>
        word === hidden || (/:\s+$/.test(separator) && !/["']$/.test(given) && isPlain(word, named))
          ? all
          : `${given}${separator}${hidden}`,
    ),
  // `password hunter2`
  (text) =>
    text.replace(
      new RegExp(String.raw`(?<![\w-])(${name})(\s+)(?![=:])${value}`, 'gi'),
      (all, given, named, blank, word) =>
        word === hidden || isPlain(word, named) ? all : `${given}${blank}${hidden}`,
    ),
  (text) =>
    text.replace(
      /\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?|\b[a-z0-9]{6}\.[a-z0-9]{16}\b|[0-9a-f]{32,}|[A-Za-z0-9+=_-]{40,}/gi,
      hidden,
    ),
  // Base64 has slashes, as paths have: those are rarely of capitals, small letters and digits.
  (text) =>
    text.replace(/[A-Za-z0-9+/=_-]{32,}/g, (word) =>
      /[A-Z]/.test(word) && /[a-z]/.test(word) && /[0-9+=]/.test(word) ? hidden : word,
    ),
]
