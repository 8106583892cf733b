#!/usr/bin/env node
// The launcher behind the npm scripts: `node tools/run.mjs COMMAND [ARGUMENT …]`.
import { launch } from './launch.mjs'

await launch(process.argv.slice(2))
