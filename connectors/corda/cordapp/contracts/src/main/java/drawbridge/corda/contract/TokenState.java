package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.CommandAndState;
import net.corda.core.contracts.OwnableState;
import net.corda.core.identity.AbstractParty;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Value that an issue vault issued. Its owner hands it on, or burns it by a lock. */
@BelongsToContract(TokenContract.class)
public final class TokenState implements OwnableState {
    private final long amount;
    private final String currency;
    private final AbstractParty owner;
    private final byte[] vaultId;

    /** @param amount minor units. */
    public TokenState(long amount, String currency, AbstractParty owner, byte[] vaultId) {
        this.amount = amount;
        this.currency = currency;
        this.owner = owner;
        this.vaultId = vaultId.clone();
    }

    public long getAmount() {
        return amount;
    }

    public String getCurrency() {
        return currency;
    }

    @Override
    public AbstractParty getOwner() {
        return owner;
    }

    public byte[] getVaultId() {
        return vaultId.clone();
    }

    @Override
    public CommandAndState withNewOwner(AbstractParty newOwner) {
        return new CommandAndState(new VaultCommands.Move(), new TokenState(amount, currency, newOwner, vaultId));
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(owner);
    }

    private Object[] fields() {
        return new Object[]{amount, currency, owner, vaultId};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenState && Arrays.deepEquals(fields(), ((TokenState) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
