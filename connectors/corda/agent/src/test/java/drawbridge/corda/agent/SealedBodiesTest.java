package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.Test;

import java.security.GeneralSecurityException;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertThrows;

public class SealedBodiesTest {
    private static final JsonNode VECTORS = Vectors.agent();
    private static final String ID = "00112233445566778899aabbccddeeff";

    private static SealedBodies bodies(String own, String other) throws GeneralSecurityException {
        return new SealedBodies(PemKeys.privateKey(VECTORS.get(own).get("privateKey").asText()),
                PemKeys.publicKey(VECTORS.get(other).get("publicKey").asText()));
    }

    private static Envelope.Context context(String purpose, String network, String id) {
        return new Envelope.Context(purpose, network, id);
    }

    @Test
    public void opensWhatTypeScriptSealed() throws GeneralSecurityException {
        JsonNode vector = VECTORS.get("sealedByTypeScript");
        byte[] opened = bodies("agent", "connector").open(Vectors.bytes(vector.get("sealed")), context("agent-command", "corda", ID));
        assertArrayEquals(Vectors.bytes(vector.get("plain")), opened);
    }

    @Test
    public void isWarmedByItsOwnKeyAlone() throws GeneralSecurityException {
        bodies("agent", "connector").warm();
    }

    @Test
    public void opensWhatItSealed() throws GeneralSecurityException {
        Envelope.Context context = context("agent-event", "corda", ID);
        byte[] sealed = bodies("agent", "connector").seal(new byte[]{1, 2}, context);
        assertArrayEquals(new byte[]{1, 2}, bodies("connector", "agent").open(sealed, context));
    }

    @Test
    public void isBoundToPurposeNetworkAndId() throws GeneralSecurityException {
        byte[] sealed = Vectors.bytes(VECTORS.get("sealedByTypeScript").get("sealed"));
        SealedBodies agent = bodies("agent", "connector");
        for (Envelope.Context other : new Envelope.Context[]{context("agent-reply", "corda", ID),
            context("agent-command", "corda-2", ID), context("agent-command", "corda", ID.replace('f', 'e'))}) {
            assertThrows(GeneralSecurityException.class, () -> agent.open(sealed, other));
        }
    }

    @Test
    public void everyAlteredByteIsRefused() throws GeneralSecurityException {
        byte[] sealed = Vectors.bytes(VECTORS.get("sealedByTypeScript").get("sealed"));
        SealedBodies agent = bodies("agent", "connector");
        for (int i = 0; i < sealed.length; i += 7) {
            byte[] altered = sealed.clone();
            altered[i] ^= 1;
            assertThrows("byte " + i, GeneralSecurityException.class,
                    () -> agent.open(altered, context("agent-command", "corda", ID)));
        }
        assertThrows(GeneralSecurityException.class, () -> agent.open(new byte[0], context("agent-command", "corda", ID)));
    }

    @Test
    public void whatIsForAnotherKeyIsRefusedAndSoIsWhatIsTooLarge() throws GeneralSecurityException {
        byte[] sealed = Vectors.bytes(VECTORS.get("sealedByTypeScript").get("sealed"));
        SealedBodies connector = bodies("connector", "agent");
        assertThrows(GeneralSecurityException.class, () -> connector.open(sealed, context("agent-command", "corda", ID)));
        byte[] large = new byte[Envelope.MAX_BYTES];
        assertThrows(IllegalArgumentException.class, () -> connector.seal(large, context("agent-event", "corda", ID)));
        assertThrows(GeneralSecurityException.class,
                () -> connector.open(new byte[Envelope.MAX_BYTES + 1], context("agent-event", "corda", ID)));
    }
}
