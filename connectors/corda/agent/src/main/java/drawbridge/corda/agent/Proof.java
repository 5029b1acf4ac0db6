package drawbridge.corda.agent;

import net.corda.core.crypto.PartialMerkleTree;
import net.corda.core.crypto.SecureHash;
import net.corda.core.crypto.TransactionSignature;
import net.corda.core.transactions.FilteredComponentGroup;
import net.corda.core.transactions.FilteredTransaction;
import net.corda.core.transactions.NetworkParametersHash;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.WireTransaction;

import java.io.ByteArrayOutputStream;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/** A transaction as `CordaEvidence` (protocol/src/corda-evidence.ts): a tear-off without attachments and network parameters. */
final class Proof {
    static final int MAX_BYTES = 983_040;
    private static final int MAX_COMPONENTS = 512;
    private static final int MAX_COMPONENT_BYTES = 131_072;
    private static final int MAX_SIGNATURES = 4;

    private Proof() {
    }

    /** @param vaultParty whose signature is shown beside the notary's. */
    static byte[] of(String network, SignedTransaction signed, PublicKey vaultParty) throws AgentException {
        return of(network, signed.getTx(), signed.getSigs(), vaultParty);
    }

    static byte[] of(String network, WireTransaction transaction, Collection<TransactionSignature> signatures,
                     PublicKey vaultParty) throws AgentException {
        FilteredTransaction shown = FilteredTransaction.buildFilteredTransaction(transaction,
                part -> !(part instanceof SecureHash || part instanceof NetworkParametersHash));
        List<Object> groups = new ArrayList<>();
        for (FilteredComponentGroup group : shown.getFilteredComponentGroups()) groups.add(group(group));
        PublicKey notary = Objects.requireNonNull(transaction.getNotary()).getOwningKey();
        List<Object> signed = new ArrayList<>();
        for (TransactionSignature signature : signatures) {
            if (signature.getBy().equals(notary) || signature.getBy().equals(vaultParty)) signed.add(signature(signature));
        }
        require(!signed.isEmpty() && signed.size() <= MAX_SIGNATURES);
        List<byte[]> hashes = shown.getGroupHashes().stream().map(SecureHash::getBytes).toList();
        byte[] evidence = Cbor.encode(List.of(1, "corda-notary", "transaction", network, hashes, groups, signed));
        require(evidence.length <= MAX_BYTES);
        return evidence;
    }

    private static List<Object> group(FilteredComponentGroup group) throws AgentException {
        List<Object> components = new ArrayList<>();
        for (int i = 0; i < group.getComponents().size(); i++) {
            byte[] bytes = group.getComponents().get(i).getBytes();
            require(bytes.length <= MAX_COMPONENT_BYTES);
            components.add(List.of(bytes, group.getNonces().get(i).getBytes()));
        }
        require(components.size() <= MAX_COMPONENTS);
        return List.of(group.getGroupIndex(), components, tree(group.getPartialMerkleTree()));
    }

    private static List<Object> signature(TransactionSignature signature) {
        PartialMerkleTree batch = signature.getPartialMerkleTree();
        return Arrays.asList(signature.getBy().getEncoded(), signature.getSignatureMetadata().getPlatformVersion(),
                signature.getSignatureMetadata().getSchemeNumberID(), signature.getBytes(), batch == null ? null : tree(batch));
    }

    /** Preorder: 0 and both halves; 1 or 2 and a hash, where 1 is of a leaf that is shown. */
    private static byte[] tree(PartialMerkleTree tree) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(bytes, tree.getRoot());
        return bytes.toByteArray();
    }

    private static void write(ByteArrayOutputStream bytes, PartialMerkleTree.PartialTree tree) {
        if (tree instanceof PartialMerkleTree.PartialTree.Node node) {
            bytes.write(0);
            write(bytes, node.getLeft());
            write(bytes, node.getRight());
        } else if (tree instanceof PartialMerkleTree.PartialTree.IncludedLeaf leaf) {
            bytes.write(1);
            bytes.writeBytes(leaf.getHash().getBytes());
        } else if (tree instanceof PartialMerkleTree.PartialTree.Leaf leaf) {
            bytes.write(2);
            bytes.writeBytes(leaf.getHash().getBytes());
        }
    }

    private static void require(boolean ok) throws AgentException {
        if (!ok) throw new AgentException(Code.PROOF_TOO_LARGE);
    }
}
