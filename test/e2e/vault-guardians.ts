/** Guardians of a vault on Corda, as docs/operators/corda.md has them act: the tool says what to sign, their wallets sign it. */
import type { Guardianship } from '@drawbridge/demo/corda-side';
import type { LocalSystem } from '@drawbridge/demo/local-system';
import { parseHex } from '@drawbridge/protocol/bytes32';
import { type TypedDataDomain, type TypedDataField, Wallet } from 'ethers';

const COUNT = 3;
const THRESHOLD = 2;

type Message = Readonly<{
  typedData: Readonly<{
    domain: TypedDataDomain;
    types: Record<string, TypedDataField[]>;
    message: Record<string, string>;
  }>;
}>;

export type GuardAction = 'pause' | 'unpause' | 'propose' | 'complete' | 'cancel';

export class VaultGuardians {
  readonly #wallets = Array.from({ length: COUNT }, () => Wallet.createRandom());

  guardianship(delaySeconds: number): Guardianship {
    const guardians = this.#wallets.map(({ address }) => parseHex(address.toLowerCase()));
    return { guardians, threshold: THRESHOLD, delaySeconds };
  }

  /** The last two sign and the tool submits; nobody signs a completion. @param authority of a proposal */
  async act(corda: NonNullable<LocalSystem['corda']>, action: GuardAction, authority?: string): Promise<void> {
    const { tool } = corda.testbed;
    const asked = { vault: corda.vaults[0]?.address, action, ...(authority !== undefined && { authority }) };
    if (action === 'complete') {
      await tool.call('vaultParty', 'guard', asked);
      return;
    }
    const { typedData } = (await tool.call('vaultParty', 'guardian-message', asked)) as Message;
    // Wallets of ethers know the domain's type themselves.
    const { EIP712Domain: _, ...types } = typedData.types;
    const signing = this.#wallets.slice(COUNT - THRESHOLD);
    const signatures = await Promise.all(
      signing.map((wallet) => wallet.signTypedData(typedData.domain, types, typedData.message)),
    );
    await tool.call('vaultParty', 'guard', { ...asked, signatures });
  }
}
