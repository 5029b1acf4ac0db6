package drawbridge.corda.agent;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;

/** Opens what is sealed to the agent, and seals to the connector. */
final class SealedBodies {
    private static final OAEPParameterSpec OAEP =
            new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
    private static final int TAG_BYTES = 16;
    private static final int WARM_ROUNDS = 30;
    private static final int WARM_BYTES = 16_384;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final RSAPrivateCrtKey own;
    private final byte[] ownFingerprint;
    private final RSAPublicKey connector;

    SealedBodies(RSAPrivateCrtKey own, RSAPublicKey connector) throws GeneralSecurityException {
        this.own = own;
        this.ownFingerprint = fingerprint(PemKeys.publicOf(own));
        this.connector = connector;
    }

    /**
     * Opens what it seals, some times: the first attempts of a process load classes and are compiled, which takes tens of
     * milliseconds each, and no command should wait for that.
     */
    void warm() throws GeneralSecurityException {
        SealedBodies self = new SealedBodies(own, PemKeys.publicOf(own));
        for (int round = 0; round < WARM_ROUNDS; round++) {
            Envelope.Context context = new Envelope.Context(Envelope.Context.COMMAND, "warm", Integer.toString(round));
            self.open(self.seal(new byte[WARM_BYTES], context), context);
        }
    }

    /** @throws GeneralSecurityException unless {@code body} was sealed for this key and this context. */
    byte[] open(byte[] body, Envelope.Context context) throws GeneralSecurityException {
        Envelope envelope;
        try {
            envelope = Envelope.decode(body);
        } catch (IllegalArgumentException cause) {
            throw new GeneralSecurityException("not an envelope", cause);
        }
        if (!MessageDigest.isEqual(ownFingerprint, envelope.recipient())) throw new GeneralSecurityException("for another key");
        Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
        rsa.init(Cipher.DECRYPT_MODE, own, OAEP);
        byte[] contentKey = rsa.doFinal(envelope.wrappedKey());
        if (contentKey.length != 32) throw new GeneralSecurityException("a content key has 32 bytes");
        Cipher aes = aes(Cipher.DECRYPT_MODE, contentKey, envelope.nonce(), context);
        aes.update(envelope.ciphertext());
        return aes.doFinal(envelope.tag());
    }

    /** Under a fresh content key and nonce. @throws IllegalArgumentException past the bound of an envelope. */
    byte[] seal(byte[] plain, Envelope.Context context) throws GeneralSecurityException {
        byte[] contentKey = random(32);
        byte[] nonce = random(12);
        byte[] sealed = aes(Cipher.ENCRYPT_MODE, contentKey, nonce, context).doFinal(plain);
        int end = sealed.length - TAG_BYTES;
        Cipher rsa = Cipher.getInstance("RSA/ECB/OAEPPadding");
        rsa.init(Cipher.ENCRYPT_MODE, connector, OAEP);
        byte[] body = new Envelope(fingerprint(connector), rsa.doFinal(contentKey), nonce, Arrays.copyOf(sealed, end),
                Arrays.copyOfRange(sealed, end, sealed.length)).encode();
        if (body.length > Envelope.MAX_BYTES) throw new IllegalArgumentException("a body past the bound");
        return body;
    }

    static byte[] random(int bytes) {
        byte[] drawn = new byte[bytes];
        RANDOM.nextBytes(drawn);
        return drawn;
    }

    private static Cipher aes(int mode, byte[] key, byte[] nonce, Envelope.Context context) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(8 * TAG_BYTES, nonce));
        cipher.updateAAD(context.associatedData());
        return cipher;
    }

    private static byte[] fingerprint(RSAPublicKey key) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
    }
}
