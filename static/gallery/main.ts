import { createPinia } from 'pinia'
import { createApp, h } from 'vue'

import '../src/ui/styles/index.css'
import { showLocale, texts } from '../src/i18n'
import Help from '../src/screens/help/Help.vue'
import HrConsole from '../src/screens/hr/HrConsole.vue'
import Visit from '../src/screens/visit/Visit.vue'
import { provideHr } from '../src/store/hr'
import { initialLocale } from '../src/store/locale'
import { provideSdk, type Hr, type Sdk } from '../src/store/sdk'
import { SCENES, type Scene } from './scenes'
import { devicesState, hrState, interviewState, linkState } from './states'

const PHONE_WIDTH_PX = 600

/** An SDK that stands still in one state and says yes to everything. */
function still<Client>(state: object): Client {
  const known: Record<string, unknown> = { state, subscribe: () => () => undefined }
  return new Proxy(known, {
    get: (target, name: string) => target[name] ?? (() => Promise.resolve(true)),
  }) as Client
}

function sdkFor(scene: Scene): Sdk {
  const role = scene.role === 'interviewer' ? 'interviewer' : 'candidate'
  const devices = devicesState(scene.devices === true, innerWidth < PHONE_WIDTH_PX)
  if (scene.problem) devices.problem = { code: scene.problem, kinds: ['camera', 'microphone'] }
  return {
    link: still<Sdk['link']>(linkState(role, scene.link)),
    devices: still<Sdk['devices']>(devices),
    interview: still<Sdk['interview']>(scene.interview?.() ?? interviewState()),
  }
}

function screenFor(scene: Scene): ReturnType<typeof h> {
  if (scene.role === 'help') return h(Help)
  return scene.role === 'hr' ? h(HrConsole) : h(Visit, { link: 'gallery' })
}

function listScenes(): void {
  for (const name of Object.keys(SCENES)) {
    const link = document.createElement('a')
    link.href = `?scene=${name}`
    link.textContent = name
    document.body.append(link, document.createElement('br'))
  }
}

async function show(scene: Scene): Promise<void> {
  provideSdk(sdkFor(scene))
  provideHr(still<Hr>(hrState(scene.full === true)))
  await showLocale(initialLocale())
  createApp({ render: () => screenFor(scene) })
    .use(createPinia())
    .use(texts)
    .mount('#app')
  if (scene.click) {
    const selectors = scene.click.split(', ')
    const timer = setInterval(() => {
      const button = document.querySelector<HTMLElement>(selectors[0] ?? '')
      if (!button) return
      button.click()
      selectors.shift()
      if (selectors.length === 0) clearInterval(timer)
    }, 30)
  }
}

const scene = SCENES[new URLSearchParams(location.search).get('scene') ?? '']
if (scene) void show(scene)
else listScenes()
