/** Settings of one node of a development network, in the form that it reads (HOCON). */
import type { RpcTls } from './rpc-tls.ts';

/** RPC is for clients, the admin port for the node's own shell. */
export type CordaPorts = Readonly<{ p2p: number; rpc: number; rpcAdmin: number }>;

export type CordaRpcUser = Readonly<{ user: string; password: string }>;

/** `permissions` as Corda spells them: `ALL`, `StartFlow.a.b.Flow`, `InvokeRpc.nodeInfo`. */
export type CordaRpcAccount = CordaRpcUser & Readonly<{ permissions: readonly string[] }>;

/** Who may call a node, and how. */
export type CordaRpc = Readonly<{ users: readonly CordaRpcAccount[]; tls?: RpcTls }>;

export type CordaNodeTerms = Readonly<{
  /** X.500 name with at least O, L and C, such as `O=Aurora Bank,L=London,C=GB`. */
  legalName: string;
  notary?: Readonly<{ validating: boolean }>;
}>;

export const LOOPBACK = '127.0.0.1';

/** The broker between nodes would listen on every interface unless it is told its address as well. */
export function nodeConf(terms: CordaNodeTerms, ports: CordaPorts, rpc: CordaRpc): string {
  const lines = [
    `myLegalName = ${quoted(terms.legalName)}`,
    `p2pAddress = "${LOOPBACK}:${ports.p2p}"`,
    `messagingServerAddress = "${LOOPBACK}:${ports.p2p}"`,
    'messagingServerExternal = false',
    `rpcSettings { address = "${LOOPBACK}:${ports.rpc}", adminAddress = "${LOOPBACK}:${ports.rpcAdmin}"${tlsConf(rpc.tls)} }`,
    `rpcUsers = [${rpc.users.map(accountConf).join(', ')}]`,
    'devMode = true',
    'detectPublicIp = false',
  ];
  if (terms.notary) lines.push(`notary { validating = ${terms.notary.validating} }`);
  return `${lines.join('\n')}\n`;
}

function tlsConf(tls: RpcTls | undefined): string {
  if (!tls) return '';
  const store = `keyStorePath = ${quoted(tls.keyStoreFile)}, keyStorePassword = ${quoted(tls.password)}`;
  return `, useSsl = true, ssl { ${store} }`;
}

function accountConf({ user, password, permissions }: CordaRpcAccount): string {
  const listed = permissions.map(quoted).join(', ');
  return `{ user = ${quoted(user)}, password = ${quoted(password)}, permissions = [${listed}] }`;
}

/** JSON's strings are HOCON's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Folder of a node, from the organisation in its name, as the bootstrapper would have it from the name of a file. */
export function folderNameOf(legalName: string): string {
  const organisation = /(?:^|,)\s*O=([^,]+)/.exec(legalName)?.[1] ?? '';
  return organisation
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** Whether a node runs contracts, and so needs their CorDapps. */
export function runsContracts({ notary }: CordaNodeTerms): boolean {
  return notary?.validating ?? true;
}
