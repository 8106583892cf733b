export declare function productionPackages(lock: object): Map<string, string[]>
export declare function sbomOf(lock: object): {
  components: {
    name: string
    'bom-ref': string
  }[]
  dependencies: { ref: string; dependsOn: string[] }[]
}
