package drawbridge.corda.agent;

import java.util.Arrays;
import java.util.List;

/** A sealed body on the wire; the same as protocol/src/envelope.ts. */
record Envelope(byte[] recipient, byte[] wrappedKey, byte[] nonce, byte[] ciphertext, byte[] tag) {
    static final int MAX_BYTES = 1_048_576;
    private static final String SUITE = "RSA-OAEP-256+A256GCM";

    /** What a body is bound to. */
    record Context(String purpose, String network, String id) {
        static final String COMMAND = "agent-command";
        static final String REPLY = "agent-reply";
        static final String EVENT = "agent-event";
        static final String HEALTH = "agent-health";

        byte[] associatedData() {
            return Cbor.encode(List.of("drawbridge/envelope/1", SUITE, purpose, network, id));
        }
    }

    byte[] encode() {
        return Cbor.encode(Arrays.asList(1, SUITE, recipient, wrappedKey, nonce, ciphertext, tag));
    }

    /** @throws IllegalArgumentException for anything but the canonical bytes of one envelope. */
    static Envelope decode(byte[] input) {
        if (!(Cbor.decode(input, MAX_BYTES) instanceof List<?> parts) || parts.size() != 7) {
            throw new IllegalArgumentException("not an envelope");
        }
        boolean known = Long.valueOf(1).equals(parts.get(0)) && SUITE.equals(parts.get(1));
        if (!known || !parts.subList(2, 7).stream().allMatch(part -> part instanceof byte[])) {
            throw new IllegalArgumentException("not an envelope of this version");
        }
        Envelope read = new Envelope((byte[]) parts.get(2), (byte[]) parts.get(3), (byte[]) parts.get(4),
                (byte[]) parts.get(5), (byte[]) parts.get(6));
        boolean sized = read.recipient.length == 32 && read.nonce.length == 12 && read.tag.length == 16;
        if (!sized) throw new IllegalArgumentException("a part of wrong length");
        return read;
    }
}
