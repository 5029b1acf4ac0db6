const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironmentOptions: { customExportConditions: ['drawbridge-source', 'node', 'node-addons'] },
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  modulePathIgnorePatterns: ['/dist/'],
  // The same ethers in one file: a tenth of a second less for every test file that loads it.
  moduleNameMapper: { '^ethers$': '<rootDir>/node_modules/ethers/dist/ethers.js' },
};

/**
 * `unit` runs in `npm run check`. `integration` puts several whole parts together: replicas, peers over loopback, ledgers on disk. `fuzz`
 * takes seconds per test. `network` starts a whole core node, real Redis, anvil or processes of its own. `networks` runs ledgers
 * and brokers that are some hundred MB to fetch, by itself (`npm run test:networks`). `e2e` starts the whole system. `faults` breaks
 * it, partly as root, and is run by itself.
 */
export default {
  // Generous for busy machines: a test that hangs still ends, and none measures time.
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/src/**/*.test.ts', '<rootDir>/scripts/**/*.test.ts', '<rootDir>/test/sim/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.(integration|network|provisioned|fuzz)\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/**/src/**/*.integration.test.ts'],
    },
    {
      ...shared,
      displayName: 'fuzz',
      testMatch: ['<rootDir>/**/src/**/*.fuzz.test.ts', '<rootDir>/test/sim/**/*.fuzz.test.ts'],
    },
    {
      ...shared,
      displayName: 'network',
      testMatch: ['<rootDir>/**/*.network.test.ts', '<rootDir>/connectors/quorum/vault/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/test/'],
    },
    {
      ...shared,
      displayName: 'networks',
      testMatch: ['<rootDir>/**/*.provisioned.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    },
    {
      ...shared,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '/dist/',
        '<rootDir>/test/sim/',
        '<rootDir>/test/faults/',
        '\\.provisioned\\.test\\.ts$',
      ],
    },
    {
      ...shared,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/**/*.fault.test.ts'],
    },
  ],
};
