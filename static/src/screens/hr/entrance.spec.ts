import { expect, test } from 'vitest'

import { entranceOf } from './entrance'

test.each([
  [undefined, 'signed_out'],
  ['unauthenticated', 'signed_out'],
  ['token_invalid', 'signed_out'],
  ['link_other_device', 'link_used'],
  ['link_revoked', 'link_dead'],
  ['link_unknown', 'link_dead'],
])('%s is said as %s', (code, entrance) => {
  expect(entranceOf(code)).toBe(entrance)
})
