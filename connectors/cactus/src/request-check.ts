/** Checks a request's body, and tells its faults as Cactus does: a bare list of path, message and code. */
import type { Static, TSchema } from '@sinclair/typebox';
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value';
import { type RequestFault, RequestFaultsError } from './cactus-error.ts';

/** Faults told of one request. */
const MAX_FAULTS = 20;

/** @throws RequestFaultsError */
export function checkedBody<S extends TSchema>(schema: S, body: unknown): Static<S> {
  if (Value.Check(schema, body)) return body;
  const faults = new Map<string, RequestFault>();
  for (const error of Value.Errors(schema, body)) {
    const fault = faultOf(error);
    // A missing member is reported a second time, as undefined of the wrong type.
    if (!faults.has(fault.path)) faults.set(fault.path, fault);
    if (faults.size >= MAX_FAULTS) break;
  }
  throw new RequestFaultsError([...faults.values()]);
}

/** A single fault that a schema cannot say. */
export const requestFault = (member: string, message: string, rule: string): RequestFaultsError =>
  new RequestFaultsError([{ path: `/body/${member}`, message, errorCode: `${rule}.openapi.validation` }]);

function faultOf({ type, path, schema, message }: ValueError): RequestFault {
  const fault = (rule: string, words: string): RequestFault => ({
    path: `/body${path}`,
    message: words,
    errorCode: `${rule}.openapi.validation`,
  });
  const member = path.slice(path.lastIndexOf('/') + 1);
  if (type === ValueErrorType.ObjectRequiredProperty)
    return fault('required', `must have required property '${member}'`);
  if (type === ValueErrorType.ObjectAdditionalProperties)
    return fault('additionalProperties', 'must NOT have additional properties');
  if (Array.isArray(schema.enum))
    return fault('enum', `must be equal to one of the allowed values: ${schema.enum.join(', ')}`);
  if (type === ValueErrorType.StringPattern) return fault('pattern', `must match pattern "${String(schema.pattern)}"`);
  return fault('type', message.charAt(0).toLowerCase() + message.slice(1));
}
