import type { Config } from './config/config.ts'
import type { Guard } from './gateway/steps.ts'
import { NoGuard } from './guard/no-guard.ts'
import type { SensitivityOptions } from './guard/sensitivity.ts'
import { SensitivityGuard } from './guard/sensitivity-guard.ts'

/** The guard that a configuration asks for; texts are not read where no place asks for anything. */
export function openGuard(config: Config, routeOf: (model: string) => string | undefined): Guard {
  const { sensitivity } = config
  const tenants = Object.fromEntries(
    Object.entries(config.tenants).map(([name, tenant]) => [name, tenant.sensitivity] as const),
  )
  const routes = Object.fromEntries(
    Object.entries(config.routes).map(([name, route]) => [name, route.sensitivity] as const),
  )
  const places = [sensitivity, ...Object.values(tenants), ...Object.values(routes)]
  if (!places.some(asksForSomething)) return new NoGuard()
  return new SensitivityGuard({ everywhere: sensitivity, except: sensitivity.except, tenants, routes, routeOf })
}

function asksForSomething(options: SensitivityOptions | undefined): boolean {
  return [options?.personalData, options?.secrets, options?.injection].some(
    (action) => action !== undefined && action !== 'off',
  )
}
