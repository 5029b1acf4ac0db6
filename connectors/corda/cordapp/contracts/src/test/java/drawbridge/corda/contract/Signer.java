package drawbridge.corda.contract;

import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.util.BigIntegers;

import java.math.BigInteger;
import java.util.Arrays;

/** A secp256k1 key of a test: RFC 6979, low s, 65 bytes. */
final class Signer {
    private static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final ECDomainParameters DOMAIN =
            new ECDomainParameters(CURVE.getCurve(), CURVE.getG(), CURVE.getN(), CURVE.getH());
    private final BigInteger key;

    Signer(String name) {
        this(new BigInteger(1, Bytes.keccak256(Bytes.utf8(name))));
    }

    Signer(BigInteger key) {
        this.key = key.mod(CURVE.getN());
    }

    byte[] address() {
        byte[] point = CURVE.getG().multiply(key).normalize().getEncoded(false);
        return Arrays.copyOfRange(Bytes.keccak256(Arrays.copyOfRange(point, 1, 65)), 12, 32);
    }

    byte[] sign(byte[] digest) {
        ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
        signer.init(true, new ECPrivateKeyParameters(key, DOMAIN));
        BigInteger[] rs = signer.generateSignature(digest);
        BigInteger n = CURVE.getN();
        BigInteger s = rs[1].compareTo(n.shiftRight(1)) > 0 ? n.subtract(rs[1]) : rs[1];
        byte[] signature = new byte[65];
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, rs[0]), 0, signature, 0, 32);
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, s), 0, signature, 32, 32);
        for (byte v = 27; v <= 28; v++) {
            signature[64] = v;
            if (Arrays.equals(RecoverableSignature.signer(digest, signature), address())) return signature;
        }
        throw new IllegalStateException("no v recovers the key");
    }

    /** The other signature of the same key over the same digest: s in the upper half. */
    static byte[] withHighS(byte[] signature) {
        byte[] other = signature.clone();
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, CURVE.getN().subtract(s)), 0, other, 32, 32);
        other[64] = (byte) (55 - signature[64]);
        return other;
    }
}
