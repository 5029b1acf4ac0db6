import { test } from '@jest/globals';
import { expectOneForm, expectTrailsComeBack } from './testing/trails.ts';

test('a trail comes back from its 64 bytes', () => expectTrailsComeBack(100));
test('whatever decodes is what would have been written', () => expectOneForm(2_000));
