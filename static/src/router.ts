import { createRouter, createWebHistory, type Router } from 'vue-router'

/** The pages; each is a chunk of its own, so that a candidate loads no one else's screens. */
export function createRoutes(): Router {
  return createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: '/i/:link',
        name: 'visit',
        component: () => import('./screens/visit/Visit.vue'),
        props: true,
      },
      {
        path: '/hr/:link?',
        name: 'hr',
        component: () => import('./screens/hr/Hr.vue'),
        props: true,
      },
      { path: '/help', name: 'help', component: () => import('./screens/help/Help.vue') },
      { path: '/:rest(.*)*', redirect: '/help' },
    ],
  })
}
