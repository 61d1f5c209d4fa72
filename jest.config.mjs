// One configuration, several projects: `unit` beside the code, `integration` against a running broker.
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/src/**/*.test.ts',
        '<rootDir>/tools/**/*.test.ts',
        '<rootDir>/bench/**/*.test.ts',
        '<rootDir>/compat-tests/**/*.test.ts',
      ],
    },
    { ...common, displayName: 'integration', testMatch: ['<rootDir>/integration/**/*.test.ts'] },
  ],
  // As long as several of the longest waits in a test: on a busy machine a test takes its time.
  testTimeout: 180_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/generated/**', '!src/**/*.test.ts'],
};
