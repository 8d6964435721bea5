const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const SUFFIX = new RegExp(`(?:^|_)session_(${UUID})$`, 'i')
const WHOLE = new RegExp(`^${UUID}$`, 'i')

/**
 * The session in a `metadata.user_id` as Claude Code writes it: `user_…_account_…_session_<uuid>`, or in newer versions JSON with a
 * `session_id`. It names the task where no header does; anything else in that field is a user and no task.
 */
export function sessionOf(userId: string | undefined): string | undefined {
  if (userId === undefined) return undefined
  const session = SUFFIX.exec(userId)?.[1] ?? (userId.startsWith('{') ? inJson(userId) : undefined)
  return session !== undefined && WHOLE.test(session) ? session : undefined
}

function inJson(text: string): string | undefined {
  try {
    const { session_id: session } = JSON.parse(text) as { session_id?: unknown }
    return typeof session === 'string' ? session : undefined
  } catch {
    return undefined
  }
}
