import type zh from './zh'

export default {
  title: 'Interview',
} satisfies typeof zh
