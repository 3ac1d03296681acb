import { parseArgs } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { didYouMean } from '../platform/nearest.js'

/** What can follow a command on the command line. */
export interface Flag {
  /** What stands for the value in the help: `FILE`, `DURATION`; none for a switch. */
  readonly value?: string
  readonly help: string
  readonly short?: string
  /** What becomes of the path that the value is: a manifest gives the right to that, and to nothing more. */
  readonly path?: PathUse
  /** Each value counts: they are given as one, with a NUL between them, which no argument can have. */
  readonly repeatable?: true
}
/** A file that is read; one that is written, by a rename in its directory; a directory in which files are written. */
export type PathUse = 'file read' | 'file written' | 'directory written'
export type Flags<Name extends string> = Readonly<Record<Name, Flag>>

/** The value given for each flag; a switch without a value is `true`. */
export type Given<Name extends string> = Partial<Readonly<Record<Name, string>>>

/** A mistake in how the program was called: what is wrong, and how to call it. */
export interface UsageError {
  readonly _tag: 'UsageError'
  readonly message: string
  readonly hint: string
}

export const usageError = (message: string, hint: string): UsageError => ({
  _tag: 'UsageError',
  message,
  hint,
})

/** Reads `--flag value`, `--flag=value` and switches (`--flag`, `--flag=false`), as the kubelet's flags are written. */
export const readFlags = <Name extends string>(
  flags: Flags<Name>,
  args: ReadonlyArray<string>,
): E.Either<UsageError, Given<Name>> => E.map(({ given }: Read<Name>) => given)(read(flags, args, false))

/** Flags as `readFlags` reads them, and between them the names of files. */
export const readFlagsAndFiles = <Name extends string>(
  flags: Flags<Name>,
  args: ReadonlyArray<string>,
): E.Either<UsageError, Read<Name>> => read(flags, args, true)

interface Read<Name extends string> {
  readonly given: Given<Name>
  readonly files: ReadonlyArray<string>
}

const read = <Name extends string>(
  flags: Flags<Name>,
  args: ReadonlyArray<string>,
  takesFiles: boolean,
): E.Either<UsageError, Read<Name>> => {
  const known = (name: string): name is Name => Object.hasOwn(flags, name)
  const options = Object.fromEntries(
    Object.entries<Flag>(flags).map(([name, { value, short }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  )
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given: Partial<Record<Name, string>> = {}
  const files: Array<string> = []
  let last: string | undefined
  for (const token of tokens) {
    if (token.kind === 'positional' && takesFiles) {
      files.push(token.value)
      continue
    }
    if (token.kind === 'positional')
      return E.left(
        usageError(
          `${JSON.stringify(token.value)} is not expected here`,
          last === undefined ? 'flags start with --' : `did you mean ${last}=${token.value}?`,
        ),
      )
    if (token.kind !== 'option') continue
    if (!known(token.name))
      return E.left(
        usageError(
          `there is no flag ${token.rawName}`,
          didYouMean(token.name, Object.keys(flags), (flag) => `--${flag}`),
        ),
      )
    const wantsValue = flags[token.name].value
    // `--kubeconfig --once`: the next flag is no value.
    const forgotten = token.inlineValue === false && token.value.startsWith('--')
    if (wantsValue !== undefined && (token.value === undefined || token.value === '' || forgotten))
      return E.left(usageError(`${token.rawName} needs a value`, `write ${token.rawName}=${wantsValue}`))
    const earlier = given[token.name]
    if (earlier !== undefined && flags[token.name].repeatable !== true)
      return E.left(usageError(`${token.rawName} is given twice`, 'give it once'))
    given[token.name] = `${earlier === undefined ? '' : `${earlier}\0`}${token.value ?? 'true'}`
    last = wantsValue === undefined && token.value === undefined ? token.rawName : undefined
  }
  return E.right({ given, files })
}

/** Every value of a flag that may be repeated. */
export const valuesOf = (given: string | undefined): ReadonlyArray<string> => given?.split('\0') ?? []

/** Reads a switch as Go's `strconv.ParseBool` does. */
export const readSwitch = (
  name: string,
  text: string | undefined,
  otherwise: boolean,
): E.Either<UsageError, boolean> => {
  if (text === undefined) return E.right(otherwise)
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return E.right(true)
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return E.right(false)
  return E.left(
    usageError(`--${name}=${text} is neither true nor false`, `write --${name}=true or --${name}=false`),
  )
}
