import { test } from '@jest/globals';
import { expectJobsComeBack, expectOneEncoding } from './testing/instruction-jobs.ts';

test('a job comes back from its bytes', () => expectJobsComeBack(100));
test('whatever decodes is in its one encoding', () => expectOneEncoding(1_000));
