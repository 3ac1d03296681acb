/** A report for a terminal, and as CSV. Durations in the table are in words; JSON and CSV have them in ms. */
import { inWords } from '../../src/model/time.js'
import type { PolicyReport, Report } from '../../src/simulator/report.js'

type Row = readonly [name: string, of: (report: PolicyReport) => string | number]

/** The table: what it says of each policy, and in which words. The same numbers as in the JSON document. */
export const rows: ReadonlyArray<Row> = [
  ['requests', ({ requests }) => requests.total],
  ['  a second: mean', ({ requests }) => requests.mean],
  ['  a second: p99', ({ requests }) => requests.p99],
  ['  busiest second', ({ requests }) => requests.peak],
  ['  busiest second, from the start', ({ requests }) => inWords(requests.peakAt)],
  ['  peak to mean', ({ requests }) => requests.peakToMean],
  ['  creates', ({ requests }) => requests.byKind.create],
  ['  watches', ({ requests }) => requests.byKind.watch],
  ['  gets and lists', ({ requests: { byKind } }) => byKind.get + byKind.list],
  ['  probes', ({ requests }) => requests.byKind.probe],
  ['  in vain', ({ requests }) => requests.inVain],
  ['signed', ({ certificates }) => certificates.signed],
  ['installed', ({ certificates }) => certificates.installed],
  ['first certificate: longest wait', ({ bootstraps }) => inWords(bootstraps.longest)],
  ['expired or rejected', ({ expired }) => expired.count],
  ['  for, at the longest', ({ expired }) => inWords(expired.longest)],
  ['without a certificate, at most', ({ without }) => without.most],
  ['  at the end', ({ without }) => without.atEnd],
  ['recovered after an outage: longest', ({ outages }) => inWords(longestRecovery(outages))],
  ['  busiest second after it', ({ outages }) => Math.max(0, ...outages.map(({ peakAfter }) => peakAfter))],
  ['objects in etcd, at most', ({ objects }) => objects.most],
]

const longestRecovery = (outages: PolicyReport['outages']): number =>
  Math.max(0, ...outages.map(({ recovery }) => recovery.longest))

const cells = ({ policies }: Report): ReadonlyArray<ReadonlyArray<string>> => [
  ['', ...policies.map(({ policy }) => policy)],
  ...rows.map(([name, of]) => [name, ...policies.map((report) => String(of(report)))]),
]

export const textOf = (report: Report): string => {
  const table = cells(report)
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  )
  const lines = table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  const partial = report.policies.filter(({ simulated }) => simulated < report.duration)
  return [
    `${report.title}: ${report.nodes} nodes, ${inWords(report.duration)} from ${report.start}, seed ${report.seed}`,
    ...partial.map(
      ({ policy, simulated }) => `Interrupted: ${policy} is known for the first ${inWords(simulated)} only.`,
    ),
    '',
    ...lines,
    '',
    ...report.policies.map(({ policy, worst }) => `${policy}: ${worst}`),
    '',
  ].join('\n')
}

const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/** A line for each policy and bin: what came in it, and how things stood at its end. */
export const csvOf = ({ policies }: Report): string => {
  const names = [
    'create',
    'watch',
    'get',
    'list',
    'probe',
    'installed',
    'nodes',
    'without',
    'objects',
  ] as const
  const head = ['policy', 'from_ms', 'to_ms', ...names].join(',')
  const lines = policies.flatMap(({ policy, series }) =>
    series.create.map((_, bin) =>
      [
        quoted(policy),
        bin * series.bin,
        (bin + 1) * series.bin,
        ...names.map((name) => series[name][bin] ?? 0),
      ].join(','),
    ),
  )
  return `${[head, ...lines].join('\n')}\n`
}
