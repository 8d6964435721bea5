/** What the scripted model says in the rows of more than one API. */
import type { Story } from '../story.ts'

/** White space, an escape and a character that are each cut in two. */
export const ARGS: readonly string[] = ['{"city": "Z\\', 'u00fc', 'rich', '", "at', '": [1, 2]}']
export const SAID: Story = { say: ['Hel', 'lo', ' there'] }
export const THOUGHT: Story = { think: ['Let me ', 'think.'], say: ['Hi'] }
export const CALLED: Story = { calls: [{ id: 'call_a', name: 'weather', args: ARGS }] }
export const CALLED_TWICE: Story = {
  calls: [
    { id: 'call_a', name: 'weather', args: ['{"ci', 'ty":"Rome"}'] },
    { id: 'call_b', name: 'clock', args: ['{"zo', 'ne":"CET"}'] },
  ],
}
export const ALL: Story = { ...THOUGHT, ...CALLED_TWICE }
