package drawbridge.corda.flow;

import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.RecoverableSignature;
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

/** A secp256k1 key of the core or of a guardian, in a test. */
final class SigningKey {
    private static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final ECDomainParameters DOMAIN =
            new ECDomainParameters(CURVE.getCurve(), CURVE.getG(), CURVE.getN(), CURVE.getH());
    private final BigInteger key;

    SigningKey(String name) {
        key = new BigInteger(1, Bytes.keccak256(Bytes.utf8(name))).mod(CURVE.getN());
    }

    byte[] address() {
        byte[] point = CURVE.getG().multiply(key).normalize().getEncoded(false);
        return Arrays.copyOfRange(Bytes.keccak256(Arrays.copyOfRange(point, 1, 65)), 12, 32);
    }

    /** 65 bytes r, s, v. */
    byte[] sign(byte[] digest) {
        ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
        signer.init(true, new ECPrivateKeyParameters(key, DOMAIN));
        BigInteger[] made = signer.generateSignature(digest);
        BigInteger low = made[1].min(CURVE.getN().subtract(made[1]));
        byte[] signature = new byte[RecoverableSignature.LENGTH];
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, made[0]), 0, signature, 0, 32);
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, low), 0, signature, 32, 32);
        signature[64] = 27;
        if (!Arrays.equals(RecoverableSignature.signer(digest, signature), address())) signature[64] = 28;
        return signature;
    }
}
