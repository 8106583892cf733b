export declare const OLDEST_NODE: string
export declare function isSupported(version: string): boolean
export declare function pinnedRuntime(platform: string, arch: string): { name: string; executable: string }
export declare function chooseRuntime(found: {
  pinnedExecutable: string | undefined
  version: string
  execPath: string
  platform: string
  arch: string
}): { folder: string; refusal?: undefined } | { folder?: undefined; refusal: string }
export declare function callerFolder(seen: {
  cwd: string
  root: string
  env: Record<string, string | undefined>
}): string
export declare function shouldForward(seen: {
  signal: string
  atTerminal: boolean
  now: number
  last: number | undefined
}): boolean
