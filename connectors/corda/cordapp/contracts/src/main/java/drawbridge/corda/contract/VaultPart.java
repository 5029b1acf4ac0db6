package drawbridge.corda.contract;

import net.corda.core.contracts.ContractState;
import net.corda.core.identity.Party;

/** A state that belongs to one vault and is kept by that vault's party. */
public interface VaultPart extends ContractState {
    byte[] getVaultId();

    Party getVaultParty();
}
