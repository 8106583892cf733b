/** The server: settings → services → app → listen → drain on signal; with several workers, a supervisor of such servers. */
import cluster from 'node:cluster'
import { loadConfig } from '#app/config.ts'
import { greeting } from '#app/greeting.ts'
import { runUntilSignal, serve } from '#app/serve.ts'
import { metricsThroughSupervisor } from '#app/worker-metrics.ts'
import { supervise, throughSupervisor } from '#app/workers.ts'
import { createMetrics } from '#core/metrics.ts'

// what it serves keeps a worker alive, not the line to its supervisor
if (cluster.isWorker) process.channel?.unref()

await runUntilSignal(
  async () => {
    const config = loadConfig()
    if (config.workers > 1 && cluster.isPrimary) return supervise(config)
    const running = await serve(config, cluster.isWorker ? { metrics: createMetrics(metricsThroughSupervisor) } : {})
    const words = await greeting(running.services)
    return { ...running, greeting: cluster.isWorker ? throughSupervisor(words) : words }
  },
  (started) => started.greeting,
)
