package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** The guard of one {@code Cash} state of a vault: the two encumber each other, so neither moves without the other. */
@BelongsToContract(VaultContract.class)
public final class CoinState implements VaultPart {
    private final long amount;
    private final byte[] vaultId;
    private final Party vaultParty;

    /** @param amount minor units: the quantity of the cash that it guards. */
    public CoinState(long amount, byte[] vaultId, Party vaultParty) {
        this.amount = amount;
        this.vaultId = vaultId.clone();
        this.vaultParty = vaultParty;
    }

    public long getAmount() {
        return amount;
    }

    @Override
    public byte[] getVaultId() {
        return vaultId.clone();
    }

    @Override
    public Party getVaultParty() {
        return vaultParty;
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(vaultParty);
    }

    private Object[] fields() {
        return new Object[]{amount, vaultId, vaultParty};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CoinState && Arrays.deepEquals(fields(), ((CoinState) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
