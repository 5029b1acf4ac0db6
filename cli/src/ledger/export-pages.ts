/** Reads a file of a participant's claims page by page, however long it is. */
import { createReadStream } from 'node:fs';
import {
  type BankExportPage,
  MAX_EXPORT_LINE_CHARACTERS,
  parseExportPage,
} from '@drawbridge/protocol/ledger/bank-export';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from '../cli-error.ts';
import { parseJson, readJsonFile, reasonOf } from '../input-file.ts';

/** @throws CliError where it cannot be read or does not hold pages */
export async function* readExportPages(path: string): AsyncGenerator<BankExportPage> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    if (line.trim() === '') continue;
    if (number === 1 && !isJson(line)) {
      yield pageOf(await readJsonFile(path), path);
      return;
    }
    const place = `${path}, line ${number}`;
    yield pageOf(parseJson(line, place), place);
  }
}

function pageOf(value: unknown, place: string): BankExportPage {
  try {
    return parseExportPage(value);
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    throw new CliError('FILE', `${place} is no page of an export: ${cause.message}`, { cause });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The first line of a document that is spread over several.
    return false;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const part of createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 20 })) {
      const lines = (rest + String(part)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > MAX_EXPORT_LINE_CHARACTERS) throw new CliError('FILE', `${path} has a line that is too long`);
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('FILE', `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  if (rest !== '') yield rest;
}
