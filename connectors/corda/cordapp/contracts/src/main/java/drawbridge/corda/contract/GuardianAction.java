package drawbridge.corda.contract;

import net.corda.core.contracts.TimeWindow;

import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * What k of n guardians may do. They sign EIP-712 typed data in the vault's own domain under the present nonce, which rises with
 * each accepted action: the same types as the EVM vault's.
 */
public final class GuardianAction {
    public static final int PAUSE = 1;
    public static final int UNPAUSE = 2;
    public static final int PROPOSE = 3;
    /** Anybody's, once the delay is over. */
    public static final int COMPLETE = 4;
    public static final int CANCEL = 5;

    private static final byte[] PAUSE_TYPE = InstructionDigest.typeHash("GuardianPause(uint64 nonce)");
    private static final byte[] UNPAUSE_TYPE = InstructionDigest.typeHash("GuardianUnpause(uint64 nonce)");
    private static final byte[] PROPOSE_TYPE =
            InstructionDigest.typeHash("GuardianReplaceAuthority(address authority,uint64 nonce)");
    private static final byte[] CANCEL_TYPE = InstructionDigest.typeHash("GuardianCancel(uint64 nonce)");

    private GuardianAction() {
    }

    /** What each guardian signs. @throws Refusal ACTION. */
    public static byte[] digest(VaultState vault, int action, byte[] authority) {
        byte[] nonce = Bytes.word(vault.getControl().getGuardianNonce());
        byte[] struct;
        if (action == PAUSE) struct = Bytes.keccak256(PAUSE_TYPE, nonce);
        else if (action == UNPAUSE) struct = Bytes.keccak256(UNPAUSE_TYPE, nonce);
        else if (action == PROPOSE) struct = Bytes.keccak256(PROPOSE_TYPE, Bytes.addressWord(authority), nonce);
        else {
            Refusal.unless(action == CANCEL, "ACTION", "nobody signs this");
            struct = Bytes.keccak256(CANCEL_TYPE, nonce);
        }
        return InstructionDigest.digest(vault.getTerms().salt(vault.getVaultId()), struct);
    }

    /**
     * The control after the action.
     *
     * @throws Refusal ACTION, AUTHORITY, PROPOSAL, TOO_EARLY, GUARDIANS, SIGNATURE_MALFORMED, SIGNATURE_HIGH_S.
     */
    public static VaultControl after(VaultState vault, Guard guard, TimeWindow window) {
        VaultControl control = vault.getControl();
        byte[] authority = guard.getAuthority();
        int action = guard.getAction();
        Refusal.unless(action >= PAUSE && action <= CANCEL, "ACTION", "no such action");
        Refusal.unless(authority.length == (action == PROPOSE ? 20 : 0), "AUTHORITY", "an authority goes with a proposal only");
        if (action == COMPLETE) return completed(control, guard, window);
        checkSignatures(vault, guard);
        if (action == PAUSE || action == UNPAUSE) return control.pausedByGuardian(action == PAUSE);
        boolean open = control.getProposedAuthority().length > 0;
        Refusal.unless(open == (action == CANCEL), "PROPOSAL", open ? "a proposal is open" : "no proposal is open");
        if (action == CANCEL) return control.cancelled();
        boolean other = !Bytes.isZero(authority) && !Arrays.equals(authority, control.getAuthority());
        Refusal.unless(other, "AUTHORITY", "the proposed authority must be another address");
        long delay = vault.getTerms().getGuardianDelaySeconds();
        return control.proposed(authority, Math.addExact(window.getUntilTime().getEpochSecond() + 1, delay));
    }

    private static VaultControl completed(VaultControl control, Guard guard, TimeWindow window) {
        Refusal.unless(guard.getSignatures().length == 0, "GUARDIANS", "a completion carries no signatures");
        Refusal.unless(control.getProposedAuthority().length > 0, "PROPOSAL", "no proposal is open");
        boolean due = !window.getFromTime().isBefore(Instant.ofEpochSecond(control.getProposalNotBefore()));
        Refusal.unless(due, "TOO_EARLY", "the delay is not over");
        return control.completed();
    }

    private static void checkSignatures(VaultState vault, Guard guard) {
        byte[] all = guard.getSignatures();
        int count = all.length / RecoverableSignature.LENGTH;
        boolean enough = all.length % RecoverableSignature.LENGTH == 0
                && count >= vault.getTerms().getGuardianThreshold() && count <= VaultTerms.MAX_GUARDIANS;
        Refusal.unless(enough, "GUARDIANS", "too few or too many signatures");
        byte[] digest = digest(vault, guard.getAction(), guard.getAuthority());
        Set<String> signers = new HashSet<>();
        for (int i = 0; i < count; i++) {
            int from = i * RecoverableSignature.LENGTH;
            byte[] one = Arrays.copyOfRange(all, from, from + RecoverableSignature.LENGTH);
            byte[] signer = RecoverableSignature.signer(digest, one);
            Refusal.unless(isGuardian(vault.getTerms().getGuardians(), signer), "GUARDIANS", "signed by no guardian");
            Refusal.unless(signers.add(Bytes.hex(signer)), "GUARDIANS", "one guardian counts once");
        }
    }

    private static boolean isGuardian(byte[] guardians, byte[] address) {
        for (int i = 0; i < guardians.length; i += 20) {
            if (Arrays.equals(Arrays.copyOfRange(guardians, i, i + 20), address)) return true;
        }
        return false;
    }
}
