package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;

/** What guardians do to a vault together. Typed data: {@link GuardianAction}. */
public final class Guard implements CommandData {
    private final int action;
    private final byte[] authority;
    private final byte[] signatures;

    /**
     * @param action     one of {@link GuardianAction}'s numbers.
     * @param authority  20 bytes for a proposal, else empty.
     * @param signatures of 65 bytes each, one after the other; empty for a completion, which anybody may submit.
     */
    public Guard(int action, byte[] authority, byte[] signatures) {
        this.action = action;
        this.authority = authority.clone();
        this.signatures = signatures.clone();
    }

    public int getAction() {
        return action;
    }

    public byte[] getAuthority() {
        return authority.clone();
    }

    public byte[] getSignatures() {
        return signatures.clone();
    }
}
