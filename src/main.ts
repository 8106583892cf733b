/** The server: settings → services → app → listen → drain on signal. */
import { loadConfig } from '#app/config.ts'
import { greeting } from '#app/greeting.ts'
import { runUntilSignal, serve } from '#app/serve.ts'

await runUntilSignal(
  () => serve(loadConfig()),
  ({ services }) => greeting(services),
)
