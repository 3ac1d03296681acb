/** A report as one HTML file: the numbers, the chart library and the pictures are in it; it loads nothing. */
import type { Report } from '../../src/simulator/report.js'
import { assets } from './assets.js'
import { rows } from './text.js'

/** Text that ends no script element. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export const pageOf = async (report: Report): Promise<string> => {
  const { page, charts, style } = await assets()
  const table = rows.map(([name, of]) => [name, ...report.policies.map((policy) => String(of(policy)))])
  const parts: Readonly<Record<string, string>> = {
    title: escaped(report.title),
    style,
    charts,
    report: inScript(report),
    table: inScript(table),
  }
  return page.replaceAll(
    /\{\{(\w+)\}\}|\/\*\{(\w+)\}\*\/(?: null)?/g,
    (all, text = '', code = '') => parts[`${text}${code}`] ?? all,
  )
}
