import { expect, test } from 'vitest'

import { person } from '../../client/testing/fake_server'
import type { PeerQuality, Quality, Tile } from '../../client/types'
import { networkNote } from './networkNote'

const FINE = { level: 'good', cause: 'none', reason: 'none', affects: 'none' } as const
const OWN: Quality = { ...FINE, advice: 'none' }

const tile = (role: 'candidate' | 'interviewer', quality: Partial<PeerQuality> = {}): Tile => ({
  participant: person('x', { role, name: '张三' }),
  stream: null as unknown as MediaStream,
  videoOn: true,
  audioOn: true,
  speaking: false,
  picture: 'live',
  size: null,
  quality: { ...FINE, facts: null, ...quality },
  blame: 'none',
})

test.each<[string, Tile[], Partial<Quality>, string | undefined]>([
  ['all is well', [tile('candidate')], {}, undefined],
  ['a little trouble', [tile('candidate', { level: 'fair', cause: 'peer' })], {}, undefined],
  ['theirs', [tile('candidate', { level: 'poor', cause: 'peer' })], {}, 'interviewer.networkNote'],
  ['gone', [tile('candidate', { level: 'lost', cause: 'peer' })], {}, 'interviewer.networkNote'],
  [
    'the server',
    [tile('candidate', { level: 'poor', cause: 'server' })],
    {},
    'interviewer.networkNoteServer',
  ],
  [
    'mine',
    [tile('candidate')],
    { level: 'poor', cause: 'self', affects: 'both' },
    'interviewer.networkNoteMine',
  ],
  [
    'mine, but only what I send',
    [tile('candidate')],
    { level: 'poor', affects: 'sending' },
    undefined,
  ],
  [
    'never connected',
    [tile('candidate', { level: 'lost', reason: 'unconnected' })],
    {},
    'interviewer.unconnectedNote',
  ],
  [
    'neither of us connected',
    [tile('candidate', { level: 'lost', reason: 'unconnected' })],
    { level: 'lost', reason: 'unconnected' },
    'interviewer.unconnectedNoteMine',
  ],
  ["a colleague's", [tile('interviewer', { level: 'poor', cause: 'peer' })], {}, undefined],
  ['nobody there', [], { level: 'poor', affects: 'both' }, undefined],
])('%s', (_, tiles, own, key) => {
  expect(networkNote(tiles, { ...OWN, ...own })?.key).toBe(key)
})
