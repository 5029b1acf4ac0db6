package drawbridge.corda.contract;

import net.corda.core.serialization.CordaSerializable;

import java.util.Arrays;

/** Who commands a vault at present. Each change makes another; the contract compares what is there with what must be. */
@CordaSerializable
public final class VaultControl {
    private static final byte[] NONE = new byte[0];

    private final byte[] authority;
    private final long epoch;
    private final long guardianNonce;
    private final byte[] lastInstruction;
    private final boolean pausedByAuthority;
    private final boolean pausedByGuardian;
    private final long proposalNotBefore;
    private final byte[] proposedAuthority;

    /**
     * @param authority         address, 20 bytes, of the key whose instructions count.
     * @param epoch             1 at first, one more with each authority; below 2^32.
     * @param guardianNonce     actions that guardians have signed.
     * @param lastInstruction   id of the instruction that made this state, else 32 zero bytes.
     * @param proposalNotBefore Unix seconds from which the proposed authority may take over; 0 when none.
     * @param proposedAuthority 20 bytes, or empty when none.
     */
    public VaultControl(byte[] authority, long epoch, long guardianNonce, byte[] lastInstruction,
                        boolean pausedByAuthority, boolean pausedByGuardian, long proposalNotBefore,
                        byte[] proposedAuthority) {
        this.authority = authority.clone();
        this.epoch = epoch;
        this.guardianNonce = guardianNonce;
        this.lastInstruction = lastInstruction.clone();
        this.pausedByAuthority = pausedByAuthority;
        this.pausedByGuardian = pausedByGuardian;
        this.proposalNotBefore = proposalNotBefore;
        this.proposedAuthority = proposedAuthority.clone();
    }

    public static VaultControl first(byte[] authority) {
        return new VaultControl(authority, 1, 0, new byte[32], false, false, 0, NONE);
    }

    /** A rotation by the authority lets the guardians' proposal stand. */
    public VaultControl rotated(byte[] next, byte[] instruction) {
        return new VaultControl(next, epoch + 1, guardianNonce, instruction, pausedByAuthority, pausedByGuardian,
                proposalNotBefore, proposedAuthority);
    }

    public VaultControl pausedByAuthority(boolean paused, byte[] instruction) {
        return new VaultControl(authority, epoch, guardianNonce, instruction, paused, pausedByGuardian,
                proposalNotBefore, proposedAuthority);
    }

    public VaultControl pausedByGuardian(boolean paused) {
        return new VaultControl(authority, epoch, guardianNonce + 1, new byte[32], pausedByAuthority, paused,
                proposalNotBefore, proposedAuthority);
    }

    /** @param notBefore Unix seconds. */
    public VaultControl proposed(byte[] next, long notBefore) {
        return new VaultControl(authority, epoch, guardianNonce + 1, new byte[32], pausedByAuthority, pausedByGuardian,
                notBefore, next);
    }

    public VaultControl cancelled() {
        return proposed(NONE, 0);
    }

    /** The proposed authority takes over; whoever submits it, so the nonce stays. */
    public VaultControl completed() {
        return new VaultControl(proposedAuthority, epoch + 1, guardianNonce, new byte[32], pausedByAuthority,
                pausedByGuardian, 0, NONE);
    }

    public boolean paused() {
        return pausedByAuthority || pausedByGuardian;
    }

    public byte[] getAuthority() {
        return authority.clone();
    }

    public long getEpoch() {
        return epoch;
    }

    public long getGuardianNonce() {
        return guardianNonce;
    }

    public byte[] getLastInstruction() {
        return lastInstruction.clone();
    }

    public boolean getPausedByAuthority() {
        return pausedByAuthority;
    }

    public boolean getPausedByGuardian() {
        return pausedByGuardian;
    }

    public long getProposalNotBefore() {
        return proposalNotBefore;
    }

    public byte[] getProposedAuthority() {
        return proposedAuthority.clone();
    }

    private Object[] fields() {
        return new Object[]{authority, epoch, guardianNonce, lastInstruction, pausedByAuthority, pausedByGuardian,
            proposalNotBefore, proposedAuthority};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VaultControl && Arrays.deepEquals(fields(), ((VaultControl) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
