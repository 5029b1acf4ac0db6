/** A payment in the finance CorDapp's cash by RPC, in the script language that comes with Java 8: no build, no further jars. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CordaNetwork, CordaNode } from '../network.ts';

const run = promisify(execFile);

const TIMEOUT_MS = 180_000;
const MARK = 'answer: ';

/** What the paying node says: the notarised transaction, and the addresses of all nodes that it knows. */
export type PaymentAnswer = Readonly<{ transactionId: string; knownNodes: readonly string[] }>;

/** Has `from` issue 1.00 EUR to itself and pay it to `to`; resolves when `to` has it. */
export async function pay(network: CordaNetwork, from: CordaNode, to: CordaNode): Promise<PaymentAnswer> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-corda-rpc-'));
  try {
    const script = join(dir, 'pay.js');
    await writeFile(script, SCRIPT);
    const { artefacts, java, rpcUser } = network;
    const classPath = [artefacts.classPath, ...artefacts.financeJars].join(':');
    const port = from.rpcAddress.split(':')[1] ?? '';
    const asked = [port, rpcUser.user, rpcUser.password, to.legalName];
    const quick = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'jdk.nashorn.tools.Shell'];
    const { stdout } = await run(java.java, [...quick, script, '--', ...asked], { timeout: TIMEOUT_MS });
    const line = stdout.split('\n').find((each) => each.startsWith(MARK));
    if (line === undefined) throw new TypeError(`the payment script said: ${stdout}`);
    return JSON.parse(line.slice(MARK.length)) as PaymentAnswer;
  } finally {
    await rm(dir, { recursive: true });
  }
}

const SCRIPT = `
var Client = Java.type('net.corda.client.rpc.CordaRPCClient');
var Address = Java.type('net.corda.core.utilities.NetworkHostAndPort');
var Name = Java.type('net.corda.core.identity.CordaX500Name');
var Amount = Java.type('net.corda.core.contracts.Amount');
var Currency = Java.type('java.util.Currency');
var Bytes = Java.type('net.corda.core.utilities.OpaqueBytes');
var Flow = Java.type('net.corda.finance.flows.CashIssueAndPaymentFlow');
var System = Java.type('java.lang.System');
try {
  var node = new Client(new Address('127.0.0.1', Number(arguments[0]))).start(arguments[1], arguments[2]).getProxy();
  var known = node.networkMapSnapshot().stream().map(function (info) { return String(info.getAddresses().get(0)); });
  var to = node.wellKnownPartyFromX500Name(Name.parse(arguments[3]));
  var terms = [new Amount(100, Currency.getInstance('EUR')), new Bytes(Java.to([1], 'byte[]')), to, false,
    node.notaryIdentities().get(0)];
  var paid = node.startFlowDynamic(Flow.class, Java.to(terms, 'java.lang.Object[]')).getReturnValue().get();
  var answer = {
    transactionId: String(paid.getStx().getId()),
    knownNodes: Java.from(known.toArray()).map(String)
  };
  print('${MARK}' + JSON.stringify(answer));
  System.exit(0);
} catch (error) {
  print(error);
  System.exit(1);
}
`;
