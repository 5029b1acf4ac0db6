/** One anvil chain as a program; its facts are `url` and `genesisHash`. */
import { startAnvil } from './anvil.ts';
import { runNetworkProgram } from './network-program.ts';

const USAGE = `usage: node devnets/dist/main.js --chain-id N --state-dir DIR
  --accounts FILE        write the funded accounts there, with their keys: to deploy with, and to pay fees
  --port N               a free one if left out
  --host ADDRESS         127.0.0.1 if left out
  --block-time SECONDS   1 if left out`;

await runNetworkProgram({
  usage: USAGE,
  flags: ['chain-id', 'state-dir', 'port', 'host', 'block-time'],
  required: ['chain-id', 'state-dir'],
  start: async ({ 'chain-id': chainId, 'state-dir': stateDir = '', port, host, 'block-time': blockTime = '1' }) => {
    const chain = await startAnvil({
      chainId: Number(chainId),
      stateDir,
      blockTimeSeconds: Number(blockTime),
      // A chain lost by a crash would stand against vault events that the core has booked.
      stateIntervalSeconds: 1,
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(host === undefined ? {} : { host }),
    });
    return {
      facts: { url: chain.rpcUrl, genesisHash: chain.genesisHash },
      accounts: chain.accounts,
      failed: chain.exited(),
      stop: chain.stop,
    };
  },
});
