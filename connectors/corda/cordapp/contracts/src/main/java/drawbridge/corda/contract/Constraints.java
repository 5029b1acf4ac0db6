package drawbridge.corda.contract;

import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.HashAttachmentConstraint;
import net.corda.core.contracts.SignatureAttachmentConstraint;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Attachment constraints that say which code made a state. Every other one lets any jar do so and has no name. */
public final class Constraints {
    private static final byte HASH = 1;
    private static final byte SIGNER = 2;

    private Constraints() {
    }

    /** {@code 01 ‖ SHA-256 of the jar} or {@code 02 ‖ SHA-256 of the signer key's DER}; empty for any other constraint. */
    public static byte[] name(AttachmentConstraint constraint) {
        if (constraint instanceof HashAttachmentConstraint) {
            return named(HASH, ((HashAttachmentConstraint) constraint).getAttachmentId().getBytes());
        }
        if (constraint instanceof SignatureAttachmentConstraint) {
            return named(SIGNER, sha256(signer(constraint)));
        }
        return new byte[0];
    }

    /** The key that signed the code, DER; empty where the constraint names no signer. */
    public static byte[] signer(AttachmentConstraint constraint) {
        if (!(constraint instanceof SignatureAttachmentConstraint)) return new byte[0];
        return ((SignatureAttachmentConstraint) constraint).getKey().getEncoded();
    }

    static boolean isName(byte[] name) {
        return name.length == 33 && (name[0] == HASH || name[0] == SIGNER);
    }

    private static byte[] named(byte kind, byte[] hash) {
        byte[] name = new byte[1 + hash.length];
        name[0] = kind;
        System.arraycopy(hash, 0, name, 1, hash.length);
        return name;
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("this Java has no SHA-256", missing);
        }
    }
}
