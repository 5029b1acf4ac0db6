package drawbridge.corda.agent;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.RSAKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/** Sealing keys out of PEM: RSA of 2,048 to 4,096 bits. */
final class PemKeys {
    private PemKeys() {
    }

    /** @param pem SPKI. */
    static RSAPublicKey publicKey(String pem) throws GeneralSecurityException {
        byte[] der = body(pem, "PUBLIC KEY");
        return demand((RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der)));
    }

    /** @param pem PKCS#8. */
    static RSAPrivateCrtKey privateKey(String pem) throws GeneralSecurityException {
        byte[] der = body(pem, "PRIVATE KEY");
        return demand((RSAPrivateCrtKey) KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der)));
    }

    static RSAPublicKey publicOf(RSAPrivateCrtKey key) throws GeneralSecurityException {
        RSAPublicKeySpec parts = new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent());
        return (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(parts);
    }

    private static byte[] body(String pem, String label) throws GeneralSecurityException {
        String begin = "-----BEGIN " + label + "-----";
        String end = "-----END " + label + "-----";
        int from = pem.indexOf(begin);
        int to = pem.indexOf(end);
        if (from < 0 || to < from) throw new GeneralSecurityException("no " + label + " in PEM");
        return Base64.getMimeDecoder().decode(pem.substring(from + begin.length(), to));
    }

    private static <K extends RSAKey> K demand(K key) throws GeneralSecurityException {
        int bits = key.getModulus().bitLength();
        if (bits < 2_048 || bits > 4_096) throw new GeneralSecurityException("a sealing key has 2,048 to 4,096 bits");
        return key;
    }
}
