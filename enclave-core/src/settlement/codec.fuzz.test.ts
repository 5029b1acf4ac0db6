import { test } from '@jest/globals';
import { expectDamageRefused } from './testing/every-command.ts';

test('damaged bytes of an entry are refused or mean the same to every reader', () => expectDamageRefused(500));
