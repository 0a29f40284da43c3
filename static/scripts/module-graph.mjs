/** Which built files a candidate needs, read from Vite's manifest. */

/** The page's entry and the chunks that a candidate's visit loads on top of it. */
export const CANDIDATE_MODULES = [
  'index.html',
  'src/screens/visit/Visit.vue',
  'src/screens/candidate/Candidate.vue',
  'src/locales/zh.ts',
]

/**
 * All files of the candidate's module graph, static imports and styles included, each once.
 * Throws if a module of `CANDIDATE_MODULES` is not in the manifest: a moved screen must not make
 * the measure smaller.
 */
export function candidateFiles(manifest) {
  const files = new Set()
  const seen = new Set()
  const visit = (key) => {
    if (seen.has(key)) return
    seen.add(key)
    const chunk = manifest[key]
    if (!chunk) throw new Error(`${key} is not in the manifest: name its new place here`)
    files.add(chunk.file)
    for (const style of chunk.css ?? []) files.add(style)
    for (const imported of chunk.imports ?? []) visit(imported)
  }
  CANDIDATE_MODULES.forEach(visit)
  return [...files]
}
