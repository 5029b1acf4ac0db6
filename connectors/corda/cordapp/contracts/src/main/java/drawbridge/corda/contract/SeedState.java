package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.ContractState;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;

import java.util.Collections;
import java.util.List;

/** The anchor of a vault's name: the notary lets it be spent once, so that one vault at most is named after it. */
@BelongsToContract(VaultContract.class)
public final class SeedState implements ContractState {
    private final Party vaultParty;

    public SeedState(Party vaultParty) {
        this.vaultParty = vaultParty;
    }

    public Party getVaultParty() {
        return vaultParty;
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(vaultParty);
    }
}
