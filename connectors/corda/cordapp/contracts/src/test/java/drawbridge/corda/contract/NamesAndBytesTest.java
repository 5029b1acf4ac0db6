package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.HashAttachmentConstraint;
import net.corda.core.contracts.SignatureAttachmentConstraint;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.SecureHash;
import org.junit.Test;

import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.util.Arrays;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

/** Names of code, orders of bytes, and what is refused as neither. */
public class NamesAndBytesTest {
    private static byte[] tagged(int tag, byte[] hash) {
        byte[] name = new byte[33];
        name[0] = (byte) tag;
        System.arraycopy(hash, 0, name, 1, 32);
        return name;
    }

    @Test
    public void codeIsNamedByItsHashOrItsSigner() throws Exception {
        SecureHash jar = SecureHash.sha256("jar");
        assertArrayEquals(tagged(1, jar.getBytes()), Constraints.name(new HashAttachmentConstraint(jar)));
        PublicKey key = Crypto.deriveKeyPairFromEntropy(Crypto.ECDSA_SECP256R1_SHA256, BigInteger.TEN).getPublic();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
        assertArrayEquals(tagged(2, hash), Constraints.name(new SignatureAttachmentConstraint(key)));
        assertEquals(0, Constraints.name(AlwaysAcceptAttachmentConstraint.INSTANCE).length);
        assertArrayEquals(key.getEncoded(), Constraints.signer(new SignatureAttachmentConstraint(key)));
        assertEquals(0, Constraints.signer(new HashAttachmentConstraint(jar)).length);
    }

    @Test
    public void aNameHasAKindAndAHash() {
        assertTrue(Constraints.isName(tagged(1, new byte[32])));
        assertTrue(Constraints.isName(tagged(2, new byte[32])));
        assertFalse(Constraints.isName(tagged(0, new byte[32])));
        assertFalse(Constraints.isName(tagged(3, new byte[32])));
        assertFalse(Constraints.isName(Arrays.copyOf(tagged(1, new byte[32]), 32)));
        assertFalse(Constraints.isName(Arrays.copyOf(tagged(1, new byte[32]), 34)));
        assertFalse(Constraints.isName(new byte[0]));
    }

    @Test
    public void bytesCompareUnsignedAndAPrefixComesFirst() {
        byte[][] ascending = {{}, {0}, {0, 0}, {1}, {0x7f}, {(byte) 0x80}, {(byte) 0x80, 1}, {(byte) 0xff}};
        for (int i = 0; i < ascending.length; i++) {
            for (int j = 0; j < ascending.length; j++) {
                assertEquals(Integer.compare(i, j), Integer.signum(Bytes.compare(ascending[i], ascending[j])));
            }
        }
    }

    @Test
    public void anAddressIsTwentyBytesInAWord() {
        byte[] address = new byte[20];
        address[0] = 1;
        address[19] = 2;
        byte[] word = Bytes.addressWord(address);
        assertArrayEquals(address, Bytes.addressOf(word));
        byte[] long33 = Arrays.copyOf(word, 33);
        assertEquals(0, Bytes.addressOf(long33).length);
        byte[] above = word.clone();
        above[11] = 1;
        assertEquals(0, Bytes.addressOf(above).length);
        assertFalse(Bytes.isZero(address));
        assertTrue(Bytes.isZero(new byte[20]));
        assertEquals("00ff10", Bytes.hex(new byte[]{0, (byte) 0xff, 16}));
    }

    @Test
    public void transactionsAreNamedByThirtyTwoBytes() {
        StateRef longer = new StateRef(new SecureHash.HASH("SHA-512", new byte[64]), 0);
        TestLedger.refusedAs("HASH_LENGTH", () -> VaultNames.encode(longer));
    }
}
