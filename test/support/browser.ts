// The real Chromium of this machine, driven by playwright-core, which brings none of its own. A browser test file
// opens with `describe.skipIf(!chromiumPath)(…)`, launches one browser in beforeAll and closes it in afterAll.
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** The executable to drive, or undefined where browser tests have to be skipped. CHROMIUM_PATH goes before the rest. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find(
  (place) => place !== '' && existsSync(place),
)

/** Starts a headless Chromium that talks to nobody by itself. Throws where none is installed. */
export async function launchBrowser(): Promise<Browser> {
  if (!chromiumPath) throw new Error('no Chromium found; guard the file with describe.skipIf(!chromiumPath)')
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    chromiumSandbox: process.platform === 'linux' && process.getuid?.() !== 0, // its sandbox refuses to start as root
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-domain-reliability',
      '--disable-sync',
      '--disable-dev-shm-usage', // containers give /dev/shm 64 MB
      '--no-first-run',
      '--no-pings',
    ],
  })
}
