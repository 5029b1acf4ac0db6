package drawbridge.corda.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.bouncycastle.util.encoders.Hex;
import org.junit.Test;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

/** The one file of golden vectors, which Solidity and TypeScript pass as well. */
public class InstructionVectorsTest {
    private static JsonNode vectors() throws IOException {
        Path file = Paths.get(System.getProperty("basedir", "."), "../../../../test/vectors/instruction.json");
        return new ObjectMapper().readTree(Files.readAllBytes(file)).get("vectors");
    }

    private static byte[] bytes(JsonNode node, String field) {
        return Hex.decode(node.get(field).asText().substring(2));
    }

    private static long number(JsonNode node, String field) {
        return Long.parseUnsignedLong(node.get(field).asText());
    }

    private static Instruct read(JsonNode i, byte[] signature) {
        return new Instruct(bytes(i, "id"), (int) number(i, "kind"), bytes(i, "subject"), bytes(i, "asset"),
                number(i, "amount"), bytes(i, "beneficiary"), bytes(i, "inputs"), number(i, "notAfter"),
                number(i, "epoch"), bytes(i, "trail"), signature);
    }

    @Test
    public void digestsAndSignersAreThoseOfEveryLanguage() throws IOException {
        assertTrue(vectors().size() >= 16);
        for (JsonNode vector : vectors()) {
            String name = vector.get("name").asText();
            byte[] networkIdHash = Bytes.keccak256(Bytes.utf8(vector.get("networkId").asText()));
            byte[] salt = InstructionDigest.salt(bytes(vector, "serviceId"), networkIdHash,
                    bytes(vector, "genesisHash"), bytes(vector, "vault"));
            assertEquals(name, vector.get("salt").asText(), "0x" + Bytes.hex(salt));
            assertEquals(name, vector.get("domainSeparator").asText(),
                    "0x" + Bytes.hex(InstructionDigest.domainSeparator(salt)));
            byte[] signature = bytes(vector, "signature");
            byte[] structHash = InstructionDigest.structHash(read(vector.get("instruction"), signature));
            assertEquals(name, vector.get("structHash").asText(), "0x" + Bytes.hex(structHash));
            byte[] digest = InstructionDigest.digest(salt, structHash);
            assertEquals(name, vector.get("digest").asText(), "0x" + Bytes.hex(digest));
            assertEquals(name, vector.get("authority").asText(),
                    "0x" + Bytes.hex(RecoverableSignature.signer(digest, signature)));
            Signer signer = new Signer(new BigInteger(1, bytes(vector, "authorityPrivateKey")));
            assertEquals(name, Bytes.hex(signature), Bytes.hex(signer.sign(digest)));
        }
    }
}
