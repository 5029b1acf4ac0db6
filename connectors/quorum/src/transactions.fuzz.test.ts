import { test } from '@jest/globals';
import { FlightBook } from './flight-book.ts';
import { FakeNode } from './testing/fake-node.ts';
import { expectSentWhenever, MemoryJournal, makeSender } from './testing/sender-rig.ts';

test('a request is sent whenever it comes, also in the moment in which the last batch ends', () => {
  const [node, book] = [new FakeNode(), new FlightBook(new MemoryJournal())];
  return expectSentWhenever({ node, book, sender: makeSender({ node, book }) }, 1);
});
