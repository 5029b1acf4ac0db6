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

/** Leave for one payment at a time, with its share of the vault's cap. Buckets: {@link ReleaseWindow}. */
@BelongsToContract(VaultContract.class)
public final class PermitState implements VaultPart, LinearState {
    private final long bucket;
    private final long current;
    private final int index;
    private final byte[] lastInstruction;
    private final long oldest;
    private final long previous;
    private final byte[] vaultId;
    private final Party vaultParty;

    /**
     * @param bucket          number of the half window in which {@code current} left.
     * @param current         minor units that left in it; {@code previous} and {@code oldest} in the two before.
     * @param index           0 to the vault's number of permits, less one.
     * @param lastInstruction id of the instruction, a void included, that made this state; zero at first.
     */
    public PermitState(long bucket, long current, int index, byte[] lastInstruction, long oldest, long previous,
                       byte[] vaultId, Party vaultParty) {
        this.bucket = bucket;
        this.current = current;
        this.index = index;
        this.lastInstruction = lastInstruction.clone();
        this.oldest = oldest;
        this.previous = previous;
        this.vaultId = vaultId.clone();
        this.vaultParty = vaultParty;
    }

    public static PermitState first(int index, byte[] vaultId, Party vaultParty) {
        return new PermitState(0, 0, index, new byte[32], 0, 0, vaultId, vaultParty);
    }

    /** The same sums, made by a void. */
    public PermitState voidedBy(byte[] instruction) {
        return new PermitState(bucket, current, index, instruction, oldest, previous, vaultId, vaultParty);
    }

    public long getBucket() {
        return bucket;
    }

    public long getCurrent() {
        return current;
    }

    public int getIndex() {
        return index;
    }

    public byte[] getLastInstruction() {
        return lastInstruction.clone();
    }

    public long getOldest() {
        return oldest;
    }

    public long getPrevious() {
        return previous;
    }

    @Override
    public byte[] getVaultId() {
        return vaultId.clone();
    }

    @Override
    public Party getVaultParty() {
        return vaultParty;
    }

    /** For queries: the external id is the id of the instruction that made the state, in hex. */
    @Override
    public UniqueIdentifier getLinearId() {
        byte[] name = Arrays.copyOf(vaultId, vaultId.length + 1);
        name[vaultId.length] = (byte) index;
        return new UniqueIdentifier(Bytes.hex(lastInstruction), UUID.nameUUIDFromBytes(name));
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(vaultParty);
    }

    private Object[] fields() {
        return new Object[]{bucket, current, index, lastInstruction, oldest, previous, vaultId, vaultParty};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PermitState && Arrays.deepEquals(fields(), ((PermitState) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
