import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { showLocale, texts } from './i18n'
import { createRoutes } from './router'
import { initialLocale } from './store/locale'

async function start(): Promise<void> {
  await showLocale(initialLocale())
  createApp(App).use(createPinia()).use(createRoutes()).use(texts).mount('#app')
}

void start()
