export declare function lockProblems(lock: object, manifest: object): string[]
