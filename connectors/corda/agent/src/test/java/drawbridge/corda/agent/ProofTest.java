package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.PartialMerkleTree;
import net.corda.core.crypto.SecureHash;
import net.corda.core.crypto.SignatureMetadata;
import net.corda.core.crypto.TransactionSignature;
import net.corda.core.contracts.ComponentGroupEnum;
import net.corda.core.contracts.PrivacySalt;
import net.corda.core.transactions.ComponentGroup;
import net.corda.core.transactions.WireTransaction;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.nodeapi.internal.rpc.client.AMQPClientSerializationScheme;
import org.junit.BeforeClass;
import org.junit.Test;

import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

/** Proofs of transactions that Corda's classes made (test/vectors/corda-classes). */
public class ProofTest {
    @BeforeClass
    public static void serialisation() {
        AMQPClientSerializationScheme.Companion.initialiseSerialization(null, Collections.emptySet(), Collections.emptySet(),
                new ConcurrentHashMap<>());
    }

    private static WireTransaction transaction(JsonNode recorded) {
        List<ComponentGroup> groups = new ArrayList<>();
        for (JsonNode group : recorded.get("componentGroups")) {
            List<OpaqueBytes> components = new ArrayList<>();
            group.get("components").forEach(hex -> components.add(new OpaqueBytes(Vectors.bytes(hex))));
            groups.add(new ComponentGroup(group.get("groupIndex").asInt(), components));
        }
        return new WireTransaction(groups, new PrivacySalt(Vectors.bytes(recorded.get("privacySalt"))));
    }

    private static PartialMerkleTree.PartialTree tree(JsonNode node) {
        if (node.has("included")) return new PartialMerkleTree.PartialTree.IncludedLeaf(hash(node.get("included")));
        if (node.has("leaf")) return new PartialMerkleTree.PartialTree.Leaf(hash(node.get("leaf")));
        return new PartialMerkleTree.PartialTree.Node(tree(node.get("left")), tree(node.get("right")), SecureHash.SHA2_256);
    }

    private static SecureHash hash(JsonNode hex) {
        return new SecureHash.SHA256(Vectors.bytes(hex));
    }

    private static TransactionSignature signature(JsonNode recorded) {
        JsonNode batch = recorded.get("partialMerkleTree");
        return new TransactionSignature(Vectors.bytes(recorded.get("signature")), key(recorded),
                new SignatureMetadata(recorded.get("platformVersion").asInt(), recorded.get("schemeNumberID").asInt()),
                batch.isNull() ? null : new PartialMerkleTree(tree(batch)));
    }

    private static PublicKey key(JsonNode signature) {
        return Crypto.decodePublicKey(Vectors.bytes(signature.get("by_spki")));
    }

    @Test
    public void showsEverythingButAttachmentsAndNetworkParameters() throws AgentException {
        JsonNode recorded = Vectors.read("corda-classes/k1-batch.json");
        WireTransaction transaction = transaction(recorded);
        assertArrayEquals(Vectors.bytes(recorded.get("txId")), transaction.getId().getBytes());
        List<TransactionSignature> signatures = new ArrayList<>();
        recorded.get("sigs").forEach(each -> signatures.add(signature(each)));
        byte[] proof = Proof.of("corda", transaction, signatures, key(recorded.get("sigs").get(0)));
        List<?> parts = (List<?>) Cbor.decode(proof, Proof.MAX_BYTES);
        assertEquals(List.of(1L, "corda-notary", "transaction", "corda"), parts.subList(0, 4));
        List<?> hashes = (List<?>) parts.get(4);
        for (int i = 0; i < hashes.size(); i++) {
            assertArrayEquals(Vectors.bytes(recorded.at("/filtered/groupHashes/" + i)), (byte[]) hashes.get(i));
        }
        List<Long> shown = new ArrayList<>();
        for (Object group : (List<?>) parts.get(5)) {
            Long index = (Long) ((List<?>) group).get(0);
            shown.add(index);
            List<?> components = (List<?>) ((List<?>) group).get(1);
            List<byte[]> whole = transaction.getComponentGroups().stream().filter(each -> each.getGroupIndex() == index)
                    .flatMap(each -> each.getComponents().stream()).map(OpaqueBytes::getBytes).toList();
            assertEquals(whole.size(), components.size());
            for (int i = 0; i < whole.size(); i++) assertArrayEquals(whole.get(i), (byte[]) ((List<?>) components.get(i)).get(0));
        }
        List<Long> expected = new ArrayList<>();
        for (ComponentGroup group : transaction.getComponentGroups()) {
            boolean hidden = group.getGroupIndex() == ComponentGroupEnum.ATTACHMENTS_GROUP.ordinal()
                    || group.getGroupIndex() == ComponentGroupEnum.PARAMETERS_GROUP.ordinal();
            if (!hidden) expected.add((long) group.getGroupIndex());
        }
        assertEquals(expected, shown);
        assertEquals(2, ((List<?>) parts.get(6)).size());
    }

    @Test
    public void showsOnlyTheSignaturesOfNotaryAndVault() throws AgentException {
        JsonNode recorded = Vectors.read("corda-classes/r1-platform-140.json");
        WireTransaction transaction = transaction(recorded);
        List<TransactionSignature> signatures = new ArrayList<>();
        recorded.get("sigs").forEach(each -> signatures.add(signature(each)));
        PublicKey notary = transaction.getNotary().getOwningKey();
        List<?> parts = (List<?>) Cbor.decode(Proof.of("corda", transaction, signatures, notary), Proof.MAX_BYTES);
        List<?> shown = (List<?>) parts.get(6);
        assertEquals(1, shown.size());
        assertArrayEquals(notary.getEncoded(), (byte[]) ((List<?>) shown.get(0)).get(0));
        assertEquals(140L, ((List<?>) shown.get(0)).get(1));
    }
}
