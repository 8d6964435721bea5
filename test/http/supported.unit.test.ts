import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { CALL_PATHS } from '../../src/http/dialects.ts'
import type { ServerOptions } from '../../src/http/runtime.ts'
import { buildServer } from '../../src/http/server.ts'
import { SUPPORTED } from '../../src/http/supported.ts'

/** `METHOD /path` of every route, read from the framework's drawing of its tree: four characters per level, then a part of the path. */
function registered(app: FastifyInstance): readonly string[] {
  const parts: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods] = /^((?:[│ ] {3})*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? []
      parts.splice(indent.length / 4, Infinity, part)
      // A wildcard is drawn without the slash before it.
      const path = parts
        .join('')
        .replace(/:id/, '{id}')
        .replace(/(?<=\/models)\*/, '/{id}')
      return methods === undefined ? [] : methods.split(', ').map((method) => `${method} ${path}`)
    })
}

test('the list of what is supported names the routes that there are, and no other', () => {
  const options: Partial<ServerOptions> = {
    bodyLimitBytes: 1,
    keepAliveMs: 1,
    requestTimeoutMs: 1,
    operations: { all: [] } as unknown as ServerOptions['operations'],
  }
  const { app } = buildServer(options as ServerOptions)
  const routes = [...registered(app), ...CALL_PATHS.map((path) => `POST ${path}`)].filter(
    (route) => !route.startsWith('OPTIONS '),
  )
  expect(routes.length).toBeGreaterThan(SUPPORTED.length)
  // Agents' base URLs end with and without /v1.
  const named = routes.filter((route) => !routes.includes(route.replace(' /', ' /v1/')))
  expect(named.toSorted()).toEqual(SUPPORTED.toSorted())
})
