export const CANDIDATE_MODULES: string[]
export function candidateFiles(manifest: Record<string, object | undefined>): string[]
