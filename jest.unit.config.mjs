import config from './jest.config.mjs';

const { testMatch, testPathIgnorePatterns, modulePathIgnorePatterns } = config.projects.find(
  ({ displayName }) => displayName === 'unit',
);

/**
 * The unit tests for `npm run check`: in one plain Node process that keeps the modules which it has loaded, where Jest's own runner
 * loads all of them anew for every file, which is two thirds of what it does. So a test file shares the state of modules with
 * others here; `npm test` keeps them apart, and only there a test that hangs is ended by itself.
 */
export default {
  runner: 'jest-light-runner',
  testMatch,
  testPathIgnorePatterns,
  modulePathIgnorePatterns,
  transform: {},
  // As the workers of Jest's own runner are: something that is listened to would keep the process.
  forceExit: true,
};
