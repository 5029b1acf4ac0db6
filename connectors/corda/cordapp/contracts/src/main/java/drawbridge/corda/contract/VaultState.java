package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.LinearState;
import net.corda.core.contracts.UniqueIdentifier;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/** A vault: what it is and who commands it. Locks and payments refer to it; only a change of command consumes it. */
@BelongsToContract(VaultContract.class)
public final class VaultState implements VaultPart, LinearState {
    private final VaultControl control;
    private final VaultTerms terms;
    private final byte[] vaultId;
    private final Party vaultParty;

    public VaultState(VaultControl control, VaultTerms terms, byte[] vaultId, Party vaultParty) {
        this.control = control;
        this.terms = terms;
        this.vaultId = vaultId.clone();
        this.vaultParty = vaultParty;
    }

    public VaultState under(VaultControl next) {
        return new VaultState(next, terms, vaultId, vaultParty);
    }

    public VaultControl getControl() {
        return control;
    }

    public VaultTerms getTerms() {
        return terms;
    }

    @Override
    public byte[] getVaultId() {
        return vaultId.clone();
    }

    @Override
    public Party getVaultParty() {
        return vaultParty;
    }

    /** For queries: the external id is the vault's id in hex. */
    @Override
    public UniqueIdentifier getLinearId() {
        return new UniqueIdentifier(Bytes.hex(vaultId), UUID.nameUUIDFromBytes(vaultId));
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(vaultParty);
    }

    private Object[] fields() {
        return new Object[]{control, terms, vaultId, vaultParty};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VaultState && Arrays.deepEquals(fields(), ((VaultState) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
