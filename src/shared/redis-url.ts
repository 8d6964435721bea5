/** Addresses of a Redis: redis://, rediss:// (TLS) or unix:///path. */

export function isRedisUrl(text: string): boolean {
  return /^(?:rediss?:\/\/|unix:\/\/\/)\S+$/.test(text) && URL.canParse(text)
}

/** The address without name and password, for people. */
export function redisAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return protocol === 'unix:' ? pathname : host
}
