import { expect, test } from '@jest/globals';
import { cliqueGenesis } from './clique-genesis.ts';

test('extra data is vanity, signers in ascending order, and room for a seal', () => {
  const low = `0x${'0a'.repeat(20)}`;
  const high = `0x${'F0'.repeat(20)}`;
  const terms = { chainId: 7331, periodS: 2, epochLength: 30, signers: [high, low], alloc: { [low]: 255n } };
  const genesis = cliqueGenesis({ ...terms, timestampSeconds: 256 });
  expect(genesis.extraData).toBe(`0x${'00'.repeat(32)}${'0a'.repeat(20)}${'f0'.repeat(20)}${'00'.repeat(65)}`);
  expect(genesis).toMatchObject({
    config: { chainId: 7331, londonBlock: 0, clique: { period: 2, epoch: 30 } },
    difficulty: '0x1',
    timestamp: '0x100',
    alloc: { [low]: { balance: '0xff' } },
  });
  expect(genesis.config).not.toHaveProperty('terminalTotalDifficulty');
});
