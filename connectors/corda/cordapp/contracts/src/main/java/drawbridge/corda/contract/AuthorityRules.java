package drawbridge.corda.contract;

import java.util.Arrays;

/** Rotate, pause and unpause: the vault's state is consumed, so each binds from the next transaction on. */
final class AuthorityRules {
    private AuthorityRules() {
    }

    static void verify(Frame frame, Instruct i, VaultState vault) {
        VaultControl control = vault.getControl();
        frame.outputCount(1);
        if (i.getKind() != Kind.ROTATE) {
            frame.outputIs(0, vault.under(control.pausedByAuthority(i.getKind() == Kind.PAUSE, i.getId())));
            return;
        }
        byte[] next = Bytes.addressOf(i.getSubject());
        boolean other = next.length == 20 && !Bytes.isZero(next) && !Arrays.equals(next, control.getAuthority());
        Refusal.unless(other, "SUBJECT", "the new authority must be another address");
        frame.outputIs(0, vault.under(control.rotated(next, i.getId())));
    }
}
