/**
 * The CorDapp as a later version of it may be: `PermitState`, which every payment makes, is of one interface more. Its fields are the
 * same, and Corda gives the class another fingerprint.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copySources } from './java-programs.ts';

const PACKAGE = 'cordapp/contracts/src/main/java/drawbridge/corda/contract';
const DECLARATION = 'class PermitState implements VaultPart, LinearState {';
const NUMBERED = `package drawbridge.corda.contract;

import net.corda.core.serialization.CordaSerializable;

/** One of several, by number. */
@CordaSerializable
public interface Numbered {
    int getIndex();
}
`;

/** Into `dir`, to be built by `javaPrograms`. */
export async function writeNextSources(dir: string): Promise<void> {
  await copySources(dir);
  const file = join(dir, PACKAGE, 'PermitState.java');
  const source = await readFile(file, 'utf8');
  if (!source.includes(DECLARATION)) throw new Error('PermitState is declared in another way than this expects');
  await writeFile(file, source.replace(DECLARATION, DECLARATION.replace('LinearState', 'LinearState, Numbered')));
  await writeFile(join(dir, PACKAGE, 'Numbered.java'), NUMBERED);
}
