package drawbridge.corda.contract;

import net.corda.core.contracts.TimeWindow;

import java.time.Instant;
import java.util.Arrays;

/** What is demanded of every instruction, whatever its kind. */
final class Acceptance {
    static final int MAX_TRAIL_BYTES = 256;
    private static final long MAX_EPOCH = 0xffffffffL;

    private Acceptance() {
    }

    /**
     * @throws Refusal KIND, FIELD, ASSET, EPOCH, EXPIRY, EXPIRED, INPUTS, ID, TRAIL, SIGNATURE_MALFORMED, SIGNATURE_HIGH_S,
     *                 SIGNER; checked in this order.
     */
    static void check(Instruct i, VaultState vault, Frame frame) {
        VaultTerms terms = vault.getTerms();
        VaultControl control = vault.getControl();
        Refusal.unless(isAllowed(i.getKind(), terms.getMode()), "KIND", "this vault does not take this kind");
        checkFields(i);
        Refusal.unless(Arrays.equals(i.getAsset(), terms.getAsset()), "ASSET", "another asset");
        Refusal.unless(i.getEpoch() == control.getEpoch(), "EPOCH", "signed under another epoch");
        checkTime(i, frame.timeWindow());
        Refusal.unless(Arrays.equals(i.getInputs(), frame.inputsHash()), "INPUTS", "other states are named than consumed");
        Refusal.unless(!Bytes.isZero(i.getId()), "ID", "zero is nobody's id");
        Refusal.unless(i.getTrail().length <= MAX_TRAIL_BYTES, "TRAIL", "the trail is too long");
        byte[] digest = InstructionDigest.digest(terms.salt(vault.getVaultId()), InstructionDigest.structHash(i));
        byte[] signer = RecoverableSignature.signer(digest, i.getSignature());
        Refusal.unless(Arrays.equals(signer, control.getAuthority()), "SIGNER", "signed by another key, or something else");
    }

    private static boolean isAllowed(int kind, int mode) {
        if (kind == Kind.RELEASE) return mode == Kind.MODE_ESCROW;
        if (kind == Kind.ISSUE) return mode == Kind.MODE_ISSUE;
        return kind >= Kind.REFUND && kind <= Kind.UNPAUSE;
    }

    private static void checkFields(Instruct i) {
        boolean words = Bytes.isWord(i.getId()) && Bytes.isWord(i.getSubject()) && Bytes.isWord(i.getAsset())
                && Bytes.isWord(i.getBeneficiary()) && Bytes.isWord(i.getInputs());
        boolean numbers = i.getAmount() >= 0 && i.getNotAfter() >= 0 && i.getEpoch() >= 0 && i.getEpoch() <= MAX_EPOCH;
        Refusal.unless(words && numbers, "FIELD", "a field is out of range");
    }

    private static void checkTime(Instruct i, TimeWindow window) {
        if (i.getNotAfter() == 0) return;
        Refusal.unless(!Kind.lasts(i.getKind()), "EXPIRY", "void, refund and rotate never expire");
        Instant last = window.getUntilTime();
        boolean inTime = last.getEpochSecond() < i.getNotAfter()
                || last.getEpochSecond() == i.getNotAfter() && last.getNano() == 0;
        Refusal.unless(inTime, "EXPIRED", "the time window reaches past notAfter");
    }
}
