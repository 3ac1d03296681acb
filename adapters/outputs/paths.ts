/** Paths that get in each other's way: found before anything is written. */
import { dirname, resolve } from 'node:path'

/** What becomes of a path. */
export interface PathUse {
  /** How it is called where it was given: a flag, a field, an option. */
  readonly where: string
  /** Relative ones count from the working directory. */
  readonly path: string
  readonly use: 'certificate directory' | 'output directory' | 'output file' | 'file written' | 'file read'
}

export interface PathProblem {
  readonly message: string
  readonly remedy: string
}

/** Every two that contradict each other, in the order in which they were given. */
export const pathProblems = (given: ReadonlyArray<PathUse>): ReadonlyArray<PathProblem> => {
  const uses = given.map((one) => ({ ...one, path: resolve(one.path) }))
  return uses.flatMap((one, index) =>
    uses.slice(0, index).flatMap((earlier) => {
      if (one.path === earlier.path)
        return canShare(one, earlier)
          ? []
          : [
              {
                message: `${one.where} and ${earlier.where} are both ${one.path}`,
                remedy: 'each needs its own',
              },
            ]
      return [...inside(one, earlier), ...inside(earlier, one)]
    }),
  )
}

/** A directory of certificates is told apart by prefixes; a kubeconfig that is written may be the one that is read. */
const canShare = ({ use: one }: PathUse, { use: other }: PathUse): boolean =>
  (one === other && ['certificate directory', 'file read'].includes(one)) ||
  (one !== other && [one, other].every((use) => ['file read', 'file written'].includes(use)))

/** A file among those of a directory whose names are ours. */
const inside = (file: PathUse, directory: PathUse): ReadonlyArray<PathProblem> =>
  file.use === 'output file' &&
  ['certificate directory', 'output directory'].includes(directory.use) &&
  dirname(file.path) === directory.path
    ? [
        {
          message: `${file.where}=${file.path} is in ${directory.where}=${directory.path}`,
          remedy: 'name a file in another directory: the files there belong together',
        },
      ]
    : []
