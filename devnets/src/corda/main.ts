/** One Corda network as a program; its facts are `nodes` with their addresses, and `classPath` and `java` for clients. */
import { runNetworkProgram } from '../network-program.ts';
import { startCordaNetwork } from './network.ts';

const USAGE = `usage: node devnets/dist/corda/main.js
  --accounts FILE        write user and password for RPC there
  --state-dir DIR        keep ledgers and logs there, and go on with what is there; a temporary folder if left out
  --parties NAMES        in place of the two banks; X.500, separated by semicolons: "O=A,L=Rome,C=IT;O=B,L=Oslo,C=NO"
  --notary X500          O=Notary,L=Zurich,C=CH if left out
  --validating yes|no    whether the notary runs the contracts itself; no if left out
  --cordapps FILES       further CorDapp jars, separated by colons
  --heap MIB             greatest heap of each node, 512 if left out`;

await runNetworkProgram({
  usage: USAGE,
  flags: ['state-dir', 'parties', 'notary', 'validating', 'cordapps', 'heap'],
  required: [],
  start: async (values) => {
    const asked = {
      stateDir: values['state-dir'],
      parties: values.parties?.split(';'),
      notary: values.notary,
      validating: values.validating === undefined ? undefined : yesOrNo(values.validating),
      cordapps: values.cordapps?.split(':'),
      heapMiB: values.heap === undefined ? undefined : Number(values.heap),
    };
    const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
    const network = await startCordaNetwork({ log: (sentence) => process.stderr.write(`${sentence}\n`), ...given });
    const nodes = network.nodes.map(({ legalName, isNotary, rpcAddress, p2pAddress, dir }) => {
      return { legalName, isNotary, rpcAddress, p2pAddress, dir };
    });
    return {
      facts: { nodes, java: network.java.java, classPath: network.artefacts.classPath },
      accounts: [network.rpcUser],
      failed: network.failed,
      stop: network.stop,
    };
  },
});

function yesOrNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new TypeError(`--validating is yes or no\n${USAGE}`);
  return text === 'yes';
}
