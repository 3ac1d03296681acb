/**
 * What is published of the JavaScript, from what `tsc -b` has compiled: `node .bundle.mjs`.
 *
 * - `dist/bundle/`: the library, one file for each subpath of package.json, and chunks that they share: each module is
 *   in one of them only, so that every subpath sees the same one.
 * - `dist/kube-cert-rotation.mjs`: the program, alone, to be started with `node` wherever there is Node.js.
 *
 * Packages are bundled too, except optional peers: loading the front door takes twice the time of `node -e 0` so, four
 * times with fp-ts, io-ts and yaml left outside, whose CommonJS files are loaded one by one (`test/bench/start.bench.ts`).
 * fp-ts and io-ts stay dependencies for the types in our declarations; an Option of another copy is the same plain object.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = import.meta.dirname
const { exports: subpaths, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The ES modules of packages of which Node would take the CommonJS ones. */
const esModules = {
  name: 'ES modules',
  setup: ({ onResolve, resolve }) => {
    onResolve({ filter: /^fp-ts\/lib\// }, ({ path, resolveDir, kind }) =>
      resolve(path.replace('/lib/', '/es6/'), { resolveDir, kind }),
    )
    onResolve({ filter: /^yaml$/ }, () => ({ path: join(root, 'node_modules/yaml/browser/index.js') }))
  },
}

/** What is read from files in the source tree, as text in the bundle. */
const texts = {
  name: 'texts',
  setup: ({ onLoad }) => {
    onLoad({ filter: /simulator\/assets\.js$/ }, () => {
      const text = (path) => JSON.stringify(readFileSync(join(root, path), 'utf8'))
      const [page, charts, style] = [
        'adapters/simulator/page.html',
        'node_modules/uplot/dist/uPlot.iife.min.js',
        'node_modules/uplot/dist/uPlot.min.css',
      ].map(text)
      return {
        contents: `export const assets = async () => ({ page: ${page}, charts: ${charts}, style: ${style} })`,
      }
    })
  },
}

/**
 * pkijs and asn1js set what belongs to a class in a block that is run, which keeps every class in the bundle. The same as
 * fields is left out with the classes that nobody uses.
 */
const staticFields = {
  name: 'static fields',
  setup: ({ onLoad }) => {
    onLoad({ filter: /node_modules\/(pkijs|asn1js)\/build\/index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /^\tstatic \{\n((?:\t\tthis\.\w+ = .*;\n)+)\t\}$/gm,
        (_, assignments) => assignments.replace(/^\t\tthis\./gm, '\tstatic ').trimEnd(),
      ),
    }))
  },
}

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  mainFields: ['module', 'main'],
  external: Object.keys(peerDependencies),
  plugins: [esModules, staticFields, texts],
  legalComments: 'none',
  metafile: true,
}

/** The licences of the packages that are bundled, as they ask for. */
const licences = ({ inputs }) => {
  // The charts are in it as text.
  const packages = [...Object.keys(inputs), 'node_modules/uplot'].map(
    (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0],
  )
  return [...new Set(packages.filter((path) => path !== undefined))].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, path)).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${path} comes without the text of its licence`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, path, file), 'utf8').trim()}\n`
  })
}

const folder = join(root, 'dist/bundle')
rmSync(folder, { recursive: true, force: true })
const library = await build({
  ...common,
  entryPoints: Object.values(subpaths).map(({ types, default: published }) => ({
    in: types.replace('.d.ts', '.js'),
    out: published.replace('./dist/bundle/', '').replace('.js', ''),
  })),
  outdir: folder,
  chunkNames: 'chunks/[hash]',
  splitting: true,
  sourcemap: true,
})
writeFileSync(join(folder, 'LICENSES'), licences(library.metafile).join('\n'))

const program = { ...common, entryPoints: ['dist/adapters/command-line/main.js'], write: false }
const { outputFiles, metafile } = await build({ ...program, minifyWhitespace: true, minifySyntax: true })
const notices = `/*\nWith parts of these packages:\n\n${licences(metafile).join('\n').replaceAll('*/', '* /')}*/\n`
const text = `${outputFiles[0].text}${notices.replaceAll(/[“”]/g, '"')}`
// One other character, and V8 keeps and scans two bytes for each: the start takes a tenth longer.
const [foreign] = /[^\0-\x7f]/.exec(text) ?? []
if (foreign !== undefined) throw new Error(`${foreign} in the program: write it as an escape`)
writeFileSync(join(root, 'dist/kube-cert-rotation.mjs'), text, { mode: 0o755 })
