/** `latchkey`: argv → command → exit code. */
import { administration } from '#app/administration.ts'
import { callerFolder, loadConfig } from '#app/config.ts'
import { features } from '#app/features.ts'
import { openServices } from '#app/services.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { processTerminal } from '#platform/terminal.ts'

const terminal = processTerminal(callerFolder())

process.exitCode = await runCommandLine(
  {
    groups: features.flatMap(({ commands }) => commands ?? []),
    standalone: administration,
    terminal,
    async withNeeds<T>(run: (services: Services) => Promise<T>): Promise<T> {
      const config = loadConfig()
      // stdout is the product: what the log has to say would only be in its way
      const { services, close } = await openServices({ ...config, log: { level: 'silent', format: 'json' } })
      try {
        return await run(services)
      } finally {
        await close()
      }
    },
  },
  process.argv.slice(2),
)
