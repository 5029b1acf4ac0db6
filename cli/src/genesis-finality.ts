/** How a genesis file says that a network is believed: by observers, or by the seals of its own blocks. */

import { type ConsensusFinality, MAX_VALIDATORS } from '@drawbridge/evidence/tracked-chain';
import type { ObserverRegistration } from '@drawbridge/evidence/trust-root';
import { parseBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { CONSENSUS_RULES, type ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import { type NetworkId, parseEvmAddress, parseParticipantId } from '@drawbridge/protocol/ids';
import { count, type Fields, list, object, objects, text, wrong } from './genesis-fields.ts';

export type ObserversFinality = ObserverRegistration['network']['finality'] & Readonly<{ rule: 'observers' }>;
export type GenesisFinality = ObserversFinality | ConsensusFinality;

/** @throws CliError or ProtocolError for anything that the core would not take. */
export function readFinality(finality: Fields, id: NetworkId): GenesisFinality {
  const rule = text(finality.get('rule'), `rule of ${id}`);
  if (rule === 'observers') return readObserversFinality(finality, id);
  const consensus = CONSENSUS_RULES.find((known) => known === rule);
  return consensus === undefined
    ? wrong(`network ${id} has the unknown rule ${rule}`)
    : readConsensusFinality(finality, id, consensus);
}

function readObserversFinality(finality: Fields, id: NetworkId): ObserversFinality {
  return {
    rule: 'observers',
    observers: list(finality.get('observers'), `observers of ${id}`).map((observer) =>
      parseParticipantId(text(observer, 'observer')),
    ),
    threshold: count(finality.get('threshold'), `threshold of ${id}`),
    depthBlocks: count(finality.get('depthBlocks'), `depthBlocks of ${id}`),
  };
}

function readConsensusFinality(finality: Fields, id: NetworkId, rule: ConsensusRule): ConsensusFinality {
  const periodS = finality.get('periodS');
  const read: ConsensusFinality = {
    rule,
    checkpoint: readCheckpoint(object(finality.get('checkpoint'), `checkpoint of ${id}`), id),
    epochLength: count(finality.get('epochLength'), `epochLength of ${id}`, 1),
    headerFields: objects(finality.get('headerFields'), `headerFields of ${id}`).map((fields) => ({
      fromBlock: count(fields.get('fromBlock'), `fromBlock in headerFields of ${id}`),
      count: count(fields.get('count'), `count in headerFields of ${id}`, 15),
    })),
    trustingPeriodS: count(finality.get('trustingPeriodS'), `trustingPeriodS of ${id}`, 1),
    maxGapBlocks: count(finality.get('maxGapBlocks'), `maxGapBlocks of ${id}`, 1),
    ...(periodS !== undefined && { periodS: count(periodS, `periodS of ${id}`) }),
  };
  const ascends = read.headerFields.every(({ fromBlock }, i) => {
    const before = read.headerFields[i - 1]?.fromBlock;
    return before === undefined ? fromBlock === 0 : fromBlock > before;
  });
  if (!ascends || read.headerFields.length === 0) wrong(`headerFields of ${id} must ascend from block 0`);
  if (rule === 'clique' && read.checkpoint.blockNumber % read.epochLength !== 0) {
    wrong(`the checkpoint of ${id} is no block that ends an epoch`);
  }
  return read;
}

/** Addresses are sorted, as the core keeps them. */
function readCheckpoint(checkpoint: Fields, id: NetworkId): ConsensusFinality['checkpoint'] {
  const validators = list(checkpoint.get('validators'), `validators of ${id}`)
    .map((validator) => parseEvmAddress(text(validator, 'validator')))
    .toSorted();
  const blockHash = parseBytes32(text(checkpoint.get('blockHash'), 'blockHash'), 'blockHash');
  if (blockHash === ZERO_BYTES32) wrong(`the checkpoint of ${id} has no block hash`);
  if (validators.length === 0 || validators.length > MAX_VALIDATORS) {
    wrong(`${id} must have 1 to ${MAX_VALIDATORS} validators`);
  }
  if (new Set(validators).size !== validators.length) wrong(`${id} names a validator twice`);
  return {
    blockNumber: count(checkpoint.get('blockNumber'), `blockNumber in the checkpoint of ${id}`),
    blockHash,
    timestampS: count(checkpoint.get('timestampS'), `timestampS in the checkpoint of ${id}`),
    validators,
  };
}
