/** The server: settings → services → app → listen → drain on signal. */
import { createApp } from '#app/app.ts'
import { loadConfig, type Config } from '#app/config.ts'
import { features } from '#app/features.ts'
import { greeting } from '#app/greeting.ts'
import { startJobs } from '#app/jobs.ts'
import { listen } from '#app/listen.ts'
import { openServices } from '#app/services.ts'
import { AppError } from '#platform/errors.ts'
import { SettingsError } from '#platform/settings.ts'

try {
  await serve(loadConfig())
} catch (error) {
  process.exitCode = refuse(error)
}

async function serve(config: Config): Promise<void> {
  const { services, close } = await openServices(config)
  const app = await createApp(config, services, features)
  const server = await listen(config.listen, app.koa.callback())
  const stopJobs = startJobs(features, services)
  process.stderr.write(await greeting(config, services))

  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    services.log.info({ signal }, 'closing: requests under way are finished first')
    await server.drain()
    await stopJobs()
    app.close()
    await close()
  }
  // a terminal sends its signal to the launcher and to us, so that one Ctrl-C may arrive twice: the first counts
  let stopping: Promise<void> | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => void (stopping ??= stop(signal)))
}

/** What could not start says why in words for the operator, and nothing else. */
function refuse(error: unknown): number {
  if (error instanceof SettingsError) {
    process.stderr.write(
      `Latchkey cannot start: the settings have problems.\n${error.problems.map(({ setting, message }) => `  ${setting} ${message}\n`).join('')}`,
    )
    return 78
  }
  if (!(error instanceof AppError)) throw error
  process.stderr.write(`Latchkey cannot start. ${error.message}\n${error.hint ? `${error.hint}\n` : ''}`)
  return 78
}
