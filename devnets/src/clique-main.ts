/** One Clique network as a program; its facts are `url` of the first node, `genesisHash`, `nodes` and `signers`. */
import { startCliqueNetwork } from './clique.ts';
import { runNetworkProgram } from './network-program.ts';

const USAGE = `usage: node devnets/dist/clique-main.js --chain-id N --state-dir DIR
  --accounts FILE        write the funded accounts there, with their keys: to deploy with, and to pay fees
  --signers N            nodes in the first set of signers, 3 if left out
  --others N             further nodes, 1 if left out
  --block-time SECONDS   1 if left out
  --epoch BLOCKS         between checkpoints, 30000 if left out
  --port N               of the first node, the others following it; free ones if left out`;

await runNetworkProgram({
  usage: USAGE,
  flags: ['chain-id', 'state-dir', 'signers', 'others', 'block-time', 'epoch', 'port'],
  required: ['chain-id', 'state-dir'],
  start: async (values) => {
    const number = (name: string) => (values[name] === undefined ? undefined : Number(values[name]));
    const asked = {
      signers: number('signers'),
      nonSigners: number('others'),
      periodS: number('block-time'),
      epochLength: number('epoch'),
      firstRpcPort: number('port'),
    };
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    const network = await startCliqueNetwork({
      chainId: Number(values['chain-id']),
      stateDir: values['state-dir'] ?? '',
      log: (sentence) => process.stderr.write(`${sentence}\n`),
      ...given,
    });
    const nodes = network.nodes.map(({ rpcUrl, address }) => ({ url: rpcUrl, address }));
    return {
      facts: { url: nodes[0]?.url, genesisHash: network.genesisHash, nodes, signers: await network.signers() },
      accounts: network.accounts,
      failed: network.failed,
      stop: network.stop,
    };
  },
});
