package drawbridge.corda.contract;

import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;
import org.junit.Test;

import java.math.BigInteger;
import java.util.Arrays;

import static org.junit.Assert.assertArrayEquals;

/** Signatures at the bounds of what is one. */
public class RecoverableSignatureTest {
    private static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final BigInteger N = CURVE.getN();
    private static final BigInteger HALF = N.shiftRight(1);
    private static final byte[] DIGEST = Bytes.keccak256(Bytes.utf8("digest"));
    /** 1 is the abscissa of a point. */
    private static final BigInteger ONE = BigInteger.ONE;

    private static byte[] signature(BigInteger r, BigInteger s, int v) {
        byte[] signature = new byte[65];
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, r), 0, signature, 0, 32);
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, s), 0, signature, 32, 32);
        signature[64] = (byte) v;
        return signature;
    }

    private static void refused(String code, byte[] signature) {
        TestLedger.refusedAs(code, () -> RecoverableSignature.signer(DIGEST, signature));
    }

    /** SEC 1, 4.1.6, step by step: Q = r⁻¹(sR − eG). */
    private static byte[] recovered(byte[] digest, BigInteger r, BigInteger s, int v) {
        byte[] compressed = new byte[33];
        compressed[0] = (byte) (v - 25);
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, r), 0, compressed, 1, 32);
        ECPoint commitment = CURVE.getCurve().decodePoint(compressed);
        ECPoint difference = commitment.multiply(s).subtract(CURVE.getG().multiply(new BigInteger(1, digest).mod(N)));
        byte[] key = difference.multiply(r.modInverse(N)).normalize().getEncoded(false);
        return Arrays.copyOfRange(Bytes.keccak256(Arrays.copyOfRange(key, 1, 65)), 12, 32);
    }

    @Test
    public void sixtyFiveBytes() {
        refused("SIGNATURE_MALFORMED", new byte[0]);
        refused("SIGNATURE_MALFORMED", Arrays.copyOf(signature(ONE, ONE, 27), 64));
        refused("SIGNATURE_MALFORMED", Arrays.copyOf(signature(ONE, ONE, 27), 66));
    }

    @Test
    public void numbersBelowTheOrder() {
        refused("SIGNATURE_MALFORMED", signature(BigInteger.ZERO, ONE, 27));
        refused("SIGNATURE_MALFORMED", signature(ONE, BigInteger.ZERO, 27));
        refused("SIGNATURE_MALFORMED", signature(N, ONE, 27));
        refused("SIGNATURE_MALFORMED", signature(ONE, N, 27));
        refused("SIGNATURE_MALFORMED", signature(N.add(ONE), ONE, 27));
        refused("SIGNATURE_HIGH_S", signature(ONE, N.subtract(ONE), 27));
    }

    @Test
    public void aLowS() {
        refused("SIGNATURE_HIGH_S", signature(ONE, HALF.add(ONE), 27));
        assertArrayEquals(recovered(DIGEST, ONE, HALF, 27), RecoverableSignature.signer(DIGEST, signature(ONE, HALF, 27)));
    }

    @Test
    public void oneOfTwoPoints() {
        for (int v : new int[]{0, 1, 26, 29, 255}) refused("SIGNATURE_MALFORMED", signature(ONE, ONE, v));
        for (int v : new int[]{27, 28}) {
            assertArrayEquals(recovered(DIGEST, ONE, ONE, v), RecoverableSignature.signer(DIGEST, signature(ONE, ONE, v)));
        }
    }

    @Test
    public void aPointOfTheCurve() {
        BigInteger off = ONE;
        while (isAbscissa(off)) off = off.add(ONE);
        refused("SIGNATURE_MALFORMED", signature(off, ONE, 27));
    }

    private static boolean isAbscissa(BigInteger x) {
        try {
            CURVE.getCurve().decodePoint(Arrays.copyOf(signedAs(x), 33));
            return true;
        } catch (IllegalArgumentException none) {
            return false;
        }
    }

    private static byte[] signedAs(BigInteger x) {
        byte[] compressed = new byte[33];
        compressed[0] = 2;
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, x), 0, compressed, 1, 32);
        return compressed;
    }

    /** With R = G and s = e, sR − eG is no key. */
    @Test
    public void notNothing() {
        byte[] small = BigIntegers.asUnsignedByteArray(32, BigInteger.valueOf(5));
        ECPoint g = CURVE.getG().normalize();
        int even = g.getAffineYCoord().testBitZero() ? 28 : 27;
        byte[] signature = signature(g.getAffineXCoord().toBigInteger(), BigInteger.valueOf(5), even);
        TestLedger.refusedAs("SIGNATURE_MALFORMED", () -> RecoverableSignature.signer(small, signature));
    }

    /** Abscissas that take fewer bytes than a word, or a byte more as a signed number. */
    @Test
    public void abscissasOfAnyLength() {
        for (int shift : new int[]{0, 8, 100, 200, 240, 248}) {
            BigInteger x = ONE.shiftLeft(shift).multiply(BigInteger.valueOf(0x81));
            while (!isAbscissa(x)) x = x.add(ONE);
            assertArrayEquals(recovered(DIGEST, x, HALF, 28), RecoverableSignature.signer(DIGEST, signature(x, HALF, 28)));
        }
    }

    @Test
    public void digestsAboveTheOrder() {
        byte[] high = new byte[32];
        Arrays.fill(high, (byte) 0xff);
        assertArrayEquals(recovered(high, ONE, HALF, 27), RecoverableSignature.signer(high, signature(ONE, HALF, 27)));
    }
}
