package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import drawbridge.corda.agent.AgentException;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.PrivacySalt;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.transactions.ComponentGroup;
import net.corda.core.transactions.WireTransaction;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.nodeapi.internal.rpc.client.AMQPClientSerializationScheme;
import org.junit.BeforeClass;
import org.junit.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

/** JSON of states that Corda's classes made (test/vectors/corda-classes/vault). */
public class StateJsonTest {
    private static final ObjectMapper READER = new ObjectMapper();

    @BeforeClass
    public static void serialisation() {
        AMQPClientSerializationScheme.Companion.initialiseSerialization(null, Collections.emptySet(), Collections.emptySet(),
                new ConcurrentHashMap<>());
    }

    private static WireTransaction transaction(JsonNode recorded) {
        List<ComponentGroup> groups = new ArrayList<>();
        for (JsonNode group : recorded.get("componentGroups")) {
            List<OpaqueBytes> components = new ArrayList<>();
            group.get("components").forEach(hex -> components.add(new OpaqueBytes(bytes(hex))));
            groups.add(new ComponentGroup(group.get("groupIndex").asInt(), components));
        }
        return new WireTransaction(groups, new PrivacySalt(bytes(recorded.get("privacySalt"))));
    }

    private static byte[] bytes(JsonNode hex) {
        return HexFormat.of().parseHex(hex.asText().replaceFirst("^0x", ""));
    }

    @Test
    public void everyKindOfStateOfAVaultIsWritten() throws IOException, AgentException {
        JsonAnswers json = new JsonAnswers(983_040);
        Set<String> kinds = new TreeSet<>();
        Path folder = Path.of(System.getProperty("basedir", "."), "../../../test/vectors/corda-classes/vault");
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        for (Path file : files) {
            JsonNode recorded = READER.readTree(Files.readAllBytes(file));
            if (!recorded.has("componentGroups")) continue;
            WireTransaction made = transaction(recorded);
            for (int i = 0; i < made.getOutputs().size(); i++) {
                StateAndRef<ContractState> state = made.outRef(i);
                JsonNode shown = READER.readTree(json.write(state));
                StateRef ref = state.getRef();
                assertEquals(ref.getTxhash().toString(), shown.at("/ref/txhash").asText());
                assertEquals(ref.getIndex(), shown.at("/ref/index").asInt());
                assertTrue(shown.toString(), shown.at("/state/data").isObject());
                kinds.add(state.getState().getData().getClass().getSimpleName());
            }
        }
        assertTrue(kinds.toString(), kinds.containsAll(Set.of("VaultState", "PermitState", "CoinState", "LockState")));
    }
}
