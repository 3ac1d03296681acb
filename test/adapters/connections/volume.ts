/** A projected volume, written as by the kubelet's atomic writer (`pkg/volume/util/atomic_writer.go`). */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Puts the files into a directory of their own, points `..data` to it by a rename, makes each visible name a link through
 * `..data`, and removes the directory before.
 */
export const writeVolume = (
  volume: string,
  number: number,
  files: Readonly<Record<string, string>>,
): void => {
  const earlier = readdirSync(volume).filter((name) => /^\.\.\d/.test(name))
  const directory = `..2026_11_25_12_00_00.${number}`
  mkdirSync(join(volume, directory))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(volume, directory, name), text)
  symlinkSync(directory, join(volume, '..data_tmp'))
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'))
  for (const name of Object.keys(files))
    if (!readdirSync(volume).includes(name)) symlinkSync(join('..data', name), join(volume, name))
  for (const name of earlier) rmSync(join(volume, name), { recursive: true })
}
