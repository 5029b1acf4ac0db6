// The unit tests in plain Node, one process (jest.unit.config.mjs says why). Arguments go to jest; `--shard=1/2` is half of them.
import { runNode } from './node-child.mjs';

const preload = new URL('./plain-node-tests.mjs', import.meta.url).href;
const jest = ['node_modules/jest/bin/jest.js', '--config', 'jest.unit.config.mjs', '--runInBand'];
process.exitCode = await runNode([
  '--conditions=drawbridge-source',
  '--import',
  preload,
  ...jest,
  ...process.argv.slice(2),
]);
