import { it } from '@jest/globals';
import { expectBlocksComeBack, expectTheSameFromEverywhere, TemporaryHistory } from './testing/history-model.ts';

it('shows the same from the tail, from the store, across both, and after a restart', async () => {
  const folder = await TemporaryHistory.make();
  await expectTheSameFromEverywhere(folder, 15);
  await folder.clean();
});

it('gives back every record of every block', () => expectBlocksComeBack(100));
