import type { DeviceKind, DeviceProblemCode } from './types'

/** The names under which browsers, old kernels included, report a failed `getUserMedia`. */
const CODES: Record<string, DeviceProblemCode> = {
  NotAllowedError: 'denied',
  PermissionDeniedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  DevicesNotFoundError: 'missing',
  NotReadableError: 'in_use',
  TrackStartError: 'in_use',
  AbortError: 'in_use',
  SourceUnavailableError: 'in_use',
  OverconstrainedError: 'overconstrained',
  ConstraintNotSatisfiedError: 'overconstrained',
  TypeError: 'unsupported',
  NotSupportedError: 'unsupported',
}

/** Why `getUserMedia` failed. */
export function deviceProblemCode(error: unknown): DeviceProblemCode {
  const { name, message } = (error ?? {}) as { name?: string; message?: string }
  // Chromium's words for a question that was closed without an answer: asking again may help.
  if (name === 'NotAllowedError' && /dismissed/i.test(message ?? '')) return 'dismissed'
  return CODES[name ?? ''] ?? 'unsupported'
}

/** Why this page cannot even ask; null if it can. */
export function obstacle(
  mediaDevices: MediaDevices | undefined = navigator.mediaDevices,
  secure: boolean = isSecureContext,
): DeviceProblemCode | null {
  if (typeof mediaDevices?.getUserMedia === 'function') return null
  return secure ? 'unsupported' : 'insecure'
}

/** Whether asking for the other device alone could still succeed. */
export function isWorthSplitting(code: DeviceProblemCode): boolean {
  return code === 'missing' || code === 'in_use' || code === 'overconstrained' || code === 'denied'
}

export const BOTH: DeviceKind[] = ['microphone', 'camera']
