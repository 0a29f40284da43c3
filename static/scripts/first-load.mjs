/**
 * Measures what a candidate downloads before the first screen is whole, and fails above the
 * budget: the entry, the candidate's screens and everything they import, gzip-compressed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import { candidateFiles } from './module-graph.mjs'

const BUDGET_BYTES = 180 * 1024
const DIST = fileURLToPath(new URL('../dist/', import.meta.url))

const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'))
const sizes = ['index.html', ...candidateFiles(manifest)].map((file) => ({
  file,
  bytes: gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length,
}))
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)

for (const { file, bytes } of sizes.sort((a, b) => b.bytes - a.bytes)) {
  console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KB  ${file}`)
}
console.log(
  `${(total / 1024).toFixed(1).padStart(8)} KB  candidate's first load, of ${BUDGET_BYTES / 1024} KB`,
)
if (total > BUDGET_BYTES) {
  console.error("error: the candidate's first load is over its budget. Split or drop code.")
  process.exit(1)
}
