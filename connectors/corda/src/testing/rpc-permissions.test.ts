import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { AGENT_PERMISSIONS, TOOL_PERMISSIONS } from './rpc-permissions.ts';

test.each([
  ['agent', AGENT_PERMISSIONS],
  ['tool', TOOL_PERMISSIONS],
])('what is tried on a node is what the README of %s lists', async (program, permissions) => {
  const text = await readFile(new URL(`../../${program}/README.md`, import.meta.url), 'utf8');
  // The first list; others are of optional features.
  const list = /permissions = \[([^\]]+)\]/.exec(text)?.[1] ?? '';
  expect([...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name).sort()).toEqual([...permissions].sort());
});
