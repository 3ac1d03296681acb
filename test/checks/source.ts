/**
 * TypeScript text taken apart just far enough to search it: TypeScript 7 has no compiler API in JavaScript.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Source {
  /** Path from the root of the tree, with `/`. */
  readonly file: string
  readonly text: string
  /** The text with comments and the insides of literals blanked: offsets and lines are those of `text`. */
  readonly code: string
  /** The text with everything but comments blanked. */
  readonly comments: string
}

/** Something that a check objects to: `file:line what, and what to do about it`. */
export type Finding = string

/** The .ts files below `folder`, a path from `root`. */
export const readSources = (root: string, folder: string): readonly Source[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => readSource(root, `${folder}/${file}`))

export const readSource = (root: string, file: string): Source => {
  const text = readFileSync(join(root, file), 'utf8')
  return { file, text, ...takeApart(text) }
}

/** One finding for each match of `pattern` in the code or the comments. */
export const search = (
  source: Source,
  part: 'code' | 'comments',
  pattern: RegExp,
  objection: (match: string) => string,
): readonly Finding[] =>
  [...source[part].matchAll(pattern)].map((match) => finding(source, match.index, objection(match[0])))

export const finding = ({ file, text }: Source, offset: number, objection: string): Finding =>
  `${file}:${text.slice(0, offset).split('\n').length} ${objection}`

export interface Import {
  readonly offset: number
  readonly specifier: string
}

/** What a file imports: `import … from`, `export … from`, `import '…'`, `import('…')`, also as a type. */
export const importsOf = ({ code, text }: Source): readonly Import[] =>
  [...code.matchAll(/(?:(?<!\.)\bfrom|\bimport\s*\(?)\s*(['"])( *)\1/dg)].map((match) => {
    const [start, end] = match.indices?.[2] ?? [0, 0]
    return { offset: start, specifier: text.slice(start, end) }
  })

const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//y
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y
const REGULAR_EXPRESSION = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y
/** A template from its start or from the `}` of a substitution to its end or to the next `${`. */
const TEMPLATE_PART = /[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
/** After these a slash begins a regular expression; elsewhere it divides. */
const BEFORE_OPERAND = /(?:^|[(,=:[!&|?{};<>+\-*%~^]|\b(?:return|typeof|case|in|of|void|await))$/

const takeApart = (text: string): Pick<Source, 'code' | 'comments'> => {
  let code = ''
  let comments = ''
  /** For each template that we are in a substitution of: how many braces are open in there. */
  const substitutions: number[] = []

  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length
    return pattern.exec(text)?.[0]
  }
  const take = (inCode: string, inComments: string): void => {
    code += inCode
    comments += inComments
  }
  const takeLiteral = (literal: string): void =>
    take(`${literal[0]}${blank(literal.slice(1, -1))}${literal.at(-1)}`, blank(literal))

  while (code.length < text.length) {
    const next = text.charAt(code.length)
    const open = substitutions.at(-1)
    const comment = match(COMMENT)
    const string = match(STRING)
    const template = next === '`' || (next === '}' && open === 0) ? match(TEMPLATE_PART) : undefined
    if (comment !== undefined) take(blank(comment), comment)
    else if (string !== undefined) takeLiteral(string)
    else if (template !== undefined) {
      if (next === '}') substitutions.pop()
      if (template.endsWith('${')) substitutions.push(0)
      takeLiteral(template)
    } else {
      const begins = next === '/' && BEFORE_OPERAND.test(code.trimEnd())
      const regularExpression = begins ? match(REGULAR_EXPRESSION) : undefined
      if (regularExpression !== undefined) takeLiteral(regularExpression)
      else {
        if (open !== undefined && next === '{') substitutions.splice(-1, 1, open + 1)
        if (open !== undefined && next === '}') substitutions.splice(-1, 1, open - 1)
        take(next, blank(next))
      }
    }
  }
  return { code, comments }
}

const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ')
