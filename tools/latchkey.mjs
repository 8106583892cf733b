#!/usr/bin/env node
// The admin command line, `npx latchkey <noun> <verb>`. The command runs in the project's folder, where .env and data/
// lie; LATCHKEY_CALLER_DIR tells it what file arguments are relative to.
import { launch, root } from './launch.mjs'
import { callerFolder } from './runtime.mjs'

const caller = callerFolder({ cwd: process.cwd(), root, env: process.env })
await launch(['node', 'src/cli.ts', ...process.argv.slice(2)], { LATCHKEY_CALLER_DIR: caller })
