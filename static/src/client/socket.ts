import { io } from 'socket.io-client'

/** As much of a Socket.IO client as the SDK uses; tests give one of their own. */
export interface SocketLike {
  on(event: string, listener: (body: never) => void): unknown
  emit(event: string, body: unknown, acknowledge: (answer: unknown) => void): unknown
  disconnect(): unknown
}

export type Credentials = Record<string, unknown>

/** `credentials` is called when the transport is up; a rejection must be handled by the caller. */
export type OpenSocket = (credentials: () => Promise<Credentials>) => SocketLike

/** Short, since an attempt that began in the dark goes on waiting after the light is back. */
const CONNECT_TIMEOUT_MS = 5_000

/**
 * Opens one connection to a namespace, and never a second one by itself: reconnecting is ours,
 * because each attempt needs a fresh credential and the number of the last event seen.
 */
export function socketOpener(namespace: '/room' | '/hr'): OpenSocket {
  return (credentials) =>
    io(`${location.origin}${namespace}`, {
      auth: (give) => void credentials().then(give, () => undefined),
      // Any browser with WebRTC has it, and polling first would cost round trips.
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MS,
    }) as unknown as SocketLike
}
