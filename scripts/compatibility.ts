/** `npm run docs:compatibility`: prints docs/compatibility.md from the tables that the code obeys; `--write` writes it. */
import { writeFileSync } from 'node:fs'
import { compatibilityPage } from './compatibility/page.ts'

const page = compatibilityPage()
if (process.argv.includes('--write')) writeFileSync(new URL('../docs/compatibility.md', import.meta.url), page)
else process.stdout.write(page)
