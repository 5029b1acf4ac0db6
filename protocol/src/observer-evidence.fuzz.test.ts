import { test } from '@jest/globals';
import { expectItemsComeBack, expectOneEncoding } from './testing/evidence-items.ts';

test('an item comes back from its bytes', () => expectItemsComeBack(300));
test('whatever decodes is in its one encoding', () => expectOneEncoding(1_000));
