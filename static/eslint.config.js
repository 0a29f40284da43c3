import prettier from 'eslint-config-prettier'
import vue from 'eslint-plugin-vue'
import globals from 'globals'
import typescript from 'typescript-eslint'

/** The SDK runs without Vue; the stores and screens are built on it, never the other way round. */
const SDK_IMPORTS = {
  patterns: [
    { group: ['vue', 'vue-*', 'pinia'], message: 'The SDK knows no Vue.' },
    { group: ['**/store/**', '**/screens/**', '**/ui/**'], message: 'The SDK knows no screens.' },
  ],
}

export default typescript.config(
  { ignores: ['dist/', 'gallery/dist/', 'src/client/protocol.ts'] }, // generated
  ...typescript.configs.strict,
  ...vue.configs['flat/recommended'],
  prettier,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: typescript.parser },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      'no-eval': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', 600],
      'vue/multi-word-component-names': 'off', // a screen is named by one word: Lobby, Room
      'vue/no-v-html': 'error',
    },
  },
  {
    files: ['src/client/**'],
    rules: { 'no-restricted-imports': ['error', SDK_IMPORTS] },
  },
  {
    files: ['scripts/**', '*.config.ts', '*.config.js'],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' }, // a build step reports on the console
  },
)
