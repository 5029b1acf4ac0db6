package drawbridge.corda.contract;

import org.bouncycastle.crypto.digests.KeccakDigest;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Byte strings as the digests want them. Words are 32 bytes, big-endian. */
public final class Bytes {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private Bytes() {
    }

    /** Keccak-256 (the original padding, as on EVM chains) of the parts put together. */
    public static byte[] keccak256(byte[]... parts) {
        KeccakDigest digest = new KeccakDigest(256);
        for (byte[] part : parts) digest.update(part, 0, part.length);
        byte[] hash = new byte[32];
        digest.doFinal(hash, 0);
        return hash;
    }

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A number that is not negative as one word. */
    static byte[] word(long value) {
        return ByteBuffer.allocate(32).putLong(24, value).array();
    }

    /** 20 bytes, left-padded to a word. */
    public static byte[] addressWord(byte[] address) {
        byte[] word = new byte[32];
        System.arraycopy(address, 0, word, 12, 20);
        return word;
    }

    /** The address in a word, or an empty array when the word is no address. */
    static byte[] addressOf(byte[] word) {
        if (word.length != 32 || !isZero(Arrays.copyOf(word, 12))) return new byte[0];
        return Arrays.copyOfRange(word, 12, 32);
    }

    static boolean isZero(byte[] bytes) {
        for (byte b : bytes) if (b != 0) return false;
        return true;
    }

    static boolean isWord(byte[] bytes) {
        return bytes.length == 32;
    }

    /** Unsigned, as {@code memcmp}; a prefix comes first. */
    static int compare(byte[] a, byte[] b) {
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            int order = Integer.compare(a[i] & 0xff, b[i] & 0xff);
            if (order != 0) return order;
        }
        return Integer.compare(a.length, b.length);
    }

    /** Lower case, two digits a byte, no prefix. */
    public static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder(2 * bytes.length);
        for (byte b : bytes) text.append(HEX[(b >> 4) & 15]).append(HEX[b & 15]);
        return text.toString();
    }
}
