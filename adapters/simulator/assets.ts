import { readFile } from 'node:fs/promises'

/** What the page is made of. */
export interface Assets {
  readonly page: string
  /** The chart library, a script that defines `uPlot`, and its style sheet. */
  readonly charts: string
  readonly style: string
}

/** Read from where they lie in the source tree; what is published has them in it (`.bundle.mjs`). */
export const assets = async (): Promise<Assets> => {
  const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const [page, charts, style] = await Promise.all([
    read('adapters/simulator/page.html'),
    read('node_modules/uplot/dist/uPlot.iife.min.js'),
    read('node_modules/uplot/dist/uPlot.min.css'),
  ])
  return { page, charts, style }
}
