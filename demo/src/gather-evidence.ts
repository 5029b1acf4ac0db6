/** Evidence of every event of every vault: the logs from the chains, the signatures from the observers. */

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type Hex, parseBytes32, parseHex, toHex } from '@drawbridge/protocol/bytes32';
import { decodeVaultLog } from '@drawbridge/protocol/evm-vault-log';
import { parseEvmAddress, parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import { type Attestation, type EvmLog, encodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { OBSERVER_THRESHOLD } from './cast.ts';
import type { Chain } from './chain.ts';
import type { LocalSystem } from './local-system.ts';

export type EvidenceFile = Readonly<{ network: string; asset: string; seq: number; evidence: Hex }>;

/** Longest answer of an observer, bytes, and longest wait for it, ms. */
const MAX_ANSWER_BYTES = 65_536;
const ANSWER_TIMEOUT_MS = 10_000;

export async function gatherEvidence(system: LocalSystem): Promise<EvidenceFile[]> {
  const files: EvidenceFile[] = [];
  for (const chain of system.chains) {
    for (const vault of chain.vaults) {
      for (const log of await vaultLogs(chain, vault.address, vault.fromBlock)) {
        const attestations = await attest(system, chain, log);
        if (attestations.length < OBSERVER_THRESHOLD) continue;
        const evidence = encodeObserverEvidence({
          version: 1,
          rule: 'observers',
          network: parseNetworkId(chain.network),
          genesisHash: chain.genesisHash,
          log,
          attestations: attestations.slice(0, OBSERVER_THRESHOLD),
        });
        files.push({
          network: chain.network,
          asset: vault.asset,
          seq: decodeVaultLog(log).seq,
          evidence: toHex(evidence),
        });
      }
    }
  }
  return files;
}

/** Everything that a vault has said, oldest first. */
export async function vaultLogs(chain: Chain, address: string, fromBlock: number): Promise<EvmLog[]> {
  const logs = await chain.provider.getLogs({ address, fromBlock, toBlock: 'latest' });
  return logs.map((log) => ({
    blockNumber: log.blockNumber,
    blockHash: parseBytes32(log.blockHash),
    transactionHash: parseBytes32(log.transactionHash),
    logIndex: log.index,
    address: parseEvmAddress(log.address),
    topics: log.topics.map((topic) => parseBytes32(topic)),
    data: parseHex(log.data),
  }));
}

/**
 * What observers sign about a log, all of them unless some are named. Events that they do not vouch for yet, such as
 * those of the newest blocks, have too few. @throws Error for an answer that is no JSON, or none in time
 */
export async function attest(
  system: LocalSystem,
  chain: Chain,
  log: EvmLog,
  observers: LocalSystem['observerUrls'] = system.observerUrls,
): Promise<Attestation[]> {
  const { blockNumber, blockHash, transactionHash, logIndex } = log;
  const question = JSON.stringify({ network: chain.network, blockNumber, blockHash, transactionHash, logIndex });
  const answers = await Promise.all(
    observers.map(async ({ id, url }) => {
      const { status, body } = await post(
        `${url}/v1/attest`,
        question,
        await readFile(system.identity(id).certFile, 'utf8'),
      );
      if (status !== 200) return [];
      const { observer, depthBlocks, signature } = JSON.parse(body) as {
        observer: string;
        depthBlocks: number;
        signature: string;
      };
      return [{ observer: parseParticipantId(observer), depthBlocks, signature: parseHex(signature) }];
    }),
  );
  return answers.flat();
}

function post(url: string, body: string, certificate: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', ca: certificate, timeout: ANSWER_TIMEOUT_MS, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) sent.destroy(new Error('the answer is too long'));
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end(body);
  });
}
