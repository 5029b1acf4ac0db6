/** Files that a connector reads once, at start: its configuration, and keys that nobody else may read. */
import { readFile, stat } from 'node:fs/promises';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

export type ConfigErrorCode = 'CONFIG_INVALID' | 'CONFIG_FILE' | 'CONFIG_KEY_EXPOSED';

/** What an operator has to change before the connector starts; the message says it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;

  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Fills in defaults and checks. @throws ConfigError `CONFIG_INVALID` naming each field that is wrong. */
export function parseConfig<S extends TSchema>(schema: S, input: unknown): Static<S> {
  const value: unknown = Value.Default(schema, structuredClone(input));
  if (Value.Check(schema, value)) return value;
  const problems = [...Value.Errors(schema, value)].map((error) => `${error.path || '/'}: ${error.message}`);
  throw new ConfigError('CONFIG_INVALID', `the configuration is wrong:\n  ${problems.join('\n  ')}`);
}

/** @throws ConfigError `CONFIG_FILE` where there is no readable JSON. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${file} must hold JSON`, { cause });
  }
}

/** @throws ConfigError `CONFIG_FILE` */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('CONFIG_FILE', `${file} cannot be read`, { cause });
  }
}

/** The text of a key file. @throws ConfigError `CONFIG_KEY_EXPOSED` unless only its owner may read it. */
export async function readKey(file: string): Promise<string> {
  const text = await readText(file);
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return text;
  throw new ConfigError('CONFIG_KEY_EXPOSED', `${file} can be read by others; chmod 600 it`);
}
