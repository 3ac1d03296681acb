/** A process that rotates in the directory of its first argument as fast as it can, until it is killed. */
import { openCertificateDirectory } from '../../../adapters/filesystem/index.js'
import { after, instant, second } from '../../../src/model/time.js'
import { right } from '../outcome.js'
import { pair, request } from './material.js'

const store = await right(openCertificateDirectory({ directory: process.argv[2] ?? '' }))
console.log('open')
for (let n = 0; ; n += 1) {
  const name = `${process.pid}-${n}`
  await right(store.saveRequest(request(name)))
  await right(store.install(pair(name, after(instant(Date.UTC(2026, 10, 23)), Math.floor(n / 2) * second))))
}
