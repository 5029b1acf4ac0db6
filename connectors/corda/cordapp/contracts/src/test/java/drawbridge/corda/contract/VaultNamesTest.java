package drawbridge.corda.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;
import org.bouncycastle.util.encoders.Hex;
import org.junit.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import static org.junit.Assert.assertEquals;

/** Golden vectors of the names that follow from consumed states; other languages must compute the same. */
public class VaultNamesTest {
    private static JsonNode vectors() throws IOException {
        Path file = Paths.get(System.getProperty("basedir", "."), "../../../../test/vectors/corda-vault-names.json");
        return new ObjectMapper().readTree(Files.readAllBytes(file));
    }

    private static byte[] bytes(JsonNode node, String field) {
        return Hex.decode(node.get(field).asText().substring(2));
    }

    private static StateRef ref(JsonNode node) {
        return new StateRef(new SecureHash.SHA256(bytes(node, "txHash")), node.get("index").asInt());
    }

    private static void same(JsonNode node, String field, byte[] computed) {
        assertEquals(field, node.get(field).asText(), "0x" + Bytes.hex(computed));
    }

    @Test
    public void inputsAreHashedInTheOrderOfTheirBytes() throws IOException {
        for (JsonNode vector : vectors().get("inputs")) {
            List<StateRef> refs = new ArrayList<>();
            vector.get("refs").forEach(node -> refs.add(ref(node)));
            same(vector, "inputsHash", VaultNames.inputsHash(refs));
            Collections.reverse(refs);
            same(vector, "inputsHash", VaultNames.inputsHash(refs));
        }
    }

    @Test
    public void vaultsAndLocksAreNamedAfterWhatWasConsumed() throws IOException {
        for (JsonNode vector : vectors().get("vaults")) same(vector, "vaultId", VaultNames.vaultId(ref(vector.get("seed"))));
        for (JsonNode vector : vectors().get("locks")) {
            byte[] depositor = Bytes.keccak256(bytes(vector, "depositorKey"));
            same(vector, "depositor", depositor);
            same(vector, "lockId", VaultNames.lockId(bytes(vector, "vaultId"), depositor, bytes(vector, "reference"),
                    bytes(vector, "inputsHash")));
        }
    }
}
