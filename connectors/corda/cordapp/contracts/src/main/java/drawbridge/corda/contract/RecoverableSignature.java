package drawbridge.corda.contract;

import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.math.ec.ECAlgorithms;
import org.bouncycastle.math.ec.ECPoint;

import java.math.BigInteger;
import java.util.Arrays;

/** secp256k1 signatures of 65 bytes r ‖ s ‖ v, v 27 or 28, low s. SEC 1 version 2, section 4.1.6 (recovery). */
public final class RecoverableSignature {
    public static final int LENGTH = 65;
    private static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final BigInteger HALF_ORDER = CURVE.getN().shiftRight(1);

    private RecoverableSignature() {
    }

    /**
     * The 20-byte address of the key that signed {@code digest}: the last 20 bytes of keccak256(x ‖ y).
     *
     * @throws Refusal SIGNATURE_MALFORMED, SIGNATURE_HIGH_S.
     */
    public static byte[] signer(byte[] digest, byte[] signature) {
        Refusal.unless(signature.length == LENGTH, "SIGNATURE_MALFORMED", "a signature has 65 bytes");
        BigInteger r = new BigInteger(1, Arrays.copyOfRange(signature, 0, 32));
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        int v = signature[64] & 0xff;
        BigInteger n = CURVE.getN();
        boolean inRange = r.signum() > 0 && r.compareTo(n) < 0 && s.signum() > 0 && s.compareTo(n) < 0;
        Refusal.unless(inRange && (v == 27 || v == 28), "SIGNATURE_MALFORMED", "r, s or v is out of range");
        Refusal.unless(s.compareTo(HALF_ORDER) <= 0, "SIGNATURE_HIGH_S", "s is in the upper half of the order");
        ECPoint key = recover(new BigInteger(1, digest).mod(n), r, s, v == 28);
        byte[] encoded = key.getEncoded(false);
        return Arrays.copyOfRange(Bytes.keccak256(Arrays.copyOfRange(encoded, 1, 65)), 12, 32);
    }

    private static ECPoint recover(BigInteger e, BigInteger r, BigInteger s, boolean oddY) {
        byte[] compressed = new byte[33];
        compressed[0] = (byte) (oddY ? 3 : 2);
        byte[] x = r.toByteArray();
        int from = Math.max(0, x.length - 32);
        System.arraycopy(x, from, compressed, 33 - (x.length - from), x.length - from);
        ECPoint commitment = decode(compressed);
        BigInteger n = CURVE.getN();
        BigInteger inverse = r.modInverse(n);
        BigInteger onGenerator = e.negate().multiply(inverse).mod(n);
        ECPoint key = ECAlgorithms.sumOfTwoMultiplies(CURVE.getG(), onGenerator, commitment, s.multiply(inverse).mod(n));
        Refusal.unless(!key.isInfinity(), "SIGNATURE_MALFORMED", "no key recovers");
        return key.normalize();
    }

    private static ECPoint decode(byte[] compressed) {
        try {
            return CURVE.getCurve().decodePoint(compressed);
        } catch (IllegalArgumentException notOnCurve) {
            Refusal.unless(false, "SIGNATURE_MALFORMED", "r is no point of the curve");
            throw notOnCurve;
        }
    }
}
