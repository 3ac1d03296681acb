/** For these objects a strategic merge differs from RFC 7386 only in lists of conditions, which nobody patches. */
export const mergePatches = ['application/merge-patch+json', 'application/strategic-merge-patch+json']

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7386, as deep as what is patched: below that a patch cannot change anything that is kept. */
export const merged = (target: unknown, patch: unknown, depth = 8): unknown => {
  if (!isObject(patch) || depth === 0) return patch
  const before: Json = isObject(target) ? target : {}
  const after = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, merged(before[key], value, depth - 1)] as const)
  const untouched = Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key))
  return Object.fromEntries([...untouched, ...after])
}
