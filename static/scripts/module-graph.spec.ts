import { expect, test } from 'vitest'

import { CANDIDATE_MODULES, candidateFiles } from './module-graph.mjs'

const manifest = Object.fromEntries(
  CANDIDATE_MODULES.map((key, index) => [key, { file: `${index}.js`, imports: ['shared'] }]),
)

test('shared chunks and styles count once, lazy ones not at all', () => {
  const files = candidateFiles({
    ...manifest,
    shared: { file: 's.js', css: ['s.css'], imports: ['shared'], dynamicImports: ['lazy'] },
    lazy: { file: 'lazy.js' },
  })
  expect(files).toHaveLength(CANDIDATE_MODULES.length + 2)
  expect(files).toContain('s.css')
  expect(files).not.toContain('lazy.js')
})

test('a screen that moved is an error, not a smaller measure', () => {
  expect(() =>
    candidateFiles({ ...manifest, shared: { file: 's.js' }, 'index.html': undefined }),
  ).toThrow(/index.html/)
})
