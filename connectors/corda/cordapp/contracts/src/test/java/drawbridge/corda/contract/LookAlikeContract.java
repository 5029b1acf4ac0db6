package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.Contract;
import net.corda.core.contracts.ContractState;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;
import net.corda.core.transactions.LedgerTransaction;

import java.util.Collections;
import java.util.List;

/** A contract that allows everything, as a thief would write it. */
public final class LookAlikeContract implements Contract {
    static final String ID = "drawbridge.corda.contract.LookAlikeContract";

    @Override
    public void verify(LedgerTransaction tx) {
        // Whatever it is, it may be.
    }

    /** Has the fields of a coin's guard. */
    @BelongsToContract(LookAlikeContract.class)
    public static final class Guard implements ContractState {
        private final long amount;
        private final byte[] vaultId;
        private final Party vaultParty;

        public Guard(long amount, byte[] vaultId, Party vaultParty) {
            this.amount = amount;
            this.vaultId = vaultId;
            this.vaultParty = vaultParty;
        }

        public long getAmount() {
            return amount;
        }

        public byte[] getVaultId() {
            return vaultId;
        }

        public Party getVaultParty() {
            return vaultParty;
        }

        @Override
        public List<AbstractParty> getParticipants() {
            return Collections.singletonList(vaultParty);
        }
    }

    /** Claims to belong to the vault's contract, which knows nothing of it. */
    @BelongsToContract(VaultContract.class)
    public static final class Stowaway implements ContractState {
        private final Party party;

        public Stowaway(Party party) {
            this.party = party;
        }

        public Party getParty() {
            return party;
        }

        @Override
        public List<AbstractParty> getParticipants() {
            return Collections.singletonList(party);
        }
    }
}
