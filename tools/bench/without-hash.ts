// Loaded into Latchkey before anything else (`node --import`) where the table says "no hash": a password is right
// without being hashed. So the rest of a sign-in is measured whole, and the product has no mode for it. What the hash
// costs is measured by the operation `password-sign-in`, in which it is what it is.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
// boundary: argon2 is CommonJS, and what is put in place of its export before the first import is what is imported
const argon2 = require('argon2') as { verify: () => Promise<boolean> }
argon2.verify = async () => true
