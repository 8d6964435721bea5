/** Makes a configuration immutable in fact: plain objects and lists, all the way down. Buffers, maps and secrets stay as they are. */
export function freeze<T>(value: T): T {
  if (Array.isArray(value) || isPlain(value)) {
    for (const each of Object.values(value)) freeze(each)
    Object.freeze(value)
  }
  return value
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
