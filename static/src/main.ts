import { createPinia } from 'pinia'
import { createApp } from 'vue'

import './ui/styles/index.css'

import App from './App.vue'
import { showLocale, texts } from './i18n'
import { createRoutes } from './router'
import { createSdk } from './sdk'
import { initialLocale } from './store/locale'
import { provideSdk } from './store/sdk'

async function start(): Promise<void> {
  provideSdk(createSdk())
  await showLocale(initialLocale())
  createApp(App).use(createPinia()).use(createRoutes()).use(texts).mount('#app')
}

void start()
