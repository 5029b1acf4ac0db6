package drawbridge.corda.contract;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.MerkleTree;
import net.corda.core.crypto.PartialMerkleTree;
import net.corda.core.crypto.SecureHash;
import net.corda.core.crypto.SignableData;
import net.corda.core.crypto.SignatureMetadata;
import net.corda.core.crypto.SignatureScheme;
import net.corda.core.crypto.TransactionSignature;
import net.corda.core.identity.Party;
import net.corda.core.serialization.SerializationAPIKt;
import net.corda.core.serialization.SerializationFactory;
import net.corda.core.transactions.ComponentGroup;
import net.corda.core.transactions.FilteredComponentGroup;
import net.corda.core.transactions.FilteredTransaction;
import net.corda.core.transactions.WireTransaction;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.testing.core.SerializationEnvironmentRule;
import net.corda.testing.core.TestIdentity;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

/**
 * Writes one transaction of every shape that a vault has: made by the drafts of the contract's own tests, accepted by Corda's
 * verification with the contract's jar and the finance jar attached, signed by the keys of the tests. Argument: the folder.
 */
public final class VaultVectors {
    private static final byte[] NONE = new byte[0];

    private final Path folder;
    private final List<String> entries = new ArrayList<>();

    private VaultVectors(Path folder) {
        this.folder = folder;
    }

    public static void main(String[] args) throws Throwable {
        VaultVectors vectors = new VaultVectors(Paths.get(args[0]));
        Statement writing = new Statement() {
            @Override
            public void evaluate() throws Exception {
                vectors.writeAll();
            }
        };
        new SerializationEnvironmentRule().apply(writing, Description.EMPTY).evaluate();
        System.exit(0);
    }

    private void writeAll() throws Exception {
        escrow();
        issue();
        command();
        Files.write(folder.resolve("manifest.json"), ("{\n \"format\": 1,\n \"network\": \"corda\",\n"
                + " \"recordedWith\": \"no network: Corda 4.10 verified these in memory with the contract's jar; VaultVectors.java\",\n"
                + " \"vectors\": [\n" + String.join(",\n", entries) + "\n ]\n}\n").getBytes(StandardCharsets.UTF_8));
    }

    private void escrow() throws Exception {
        Scenario s = new Scenario(Kind.MODE_ESCROW);
        save(s, "seed", "the anchor of a vault's name", s.seed);
        save(s, "create", "an escrow vault with two permits", s.creation);
        StateAndRef<?> cash = s.issueCash(s.issuer, 1, 900, s.alice);
        WireTransaction lock = s.ledger.commit(s.lockDraft(cash, 700));
        save(s, "lock", "a lock of 700 with change of 200", lock);
        WireTransaction whole = s.ledger.commit(s.lockDraft(lock.outRef(3), 200));
        save(s, "lock-whole", "a lock of all that its owner's cash was", whole);
        WireTransaction release = s.ledger.commit(s.releaseDraft("release", 300, s.permit(0), lock.outRef(0), lock.outRef(1)));
        save(s, "release", "a release of 300 with change of 400", release);
        WireTransaction third = s.lock(500);
        Draft both = s.releaseDraft("both", 900, release.outRef(0), release.outRef(2), release.outRef(3),
                third.outRef(0), third.outRef(1));
        WireTransaction voided = s.ledger.commit(s.voidDraft("void", both, "both"));
        save(s, "void", "the void of a release out of two coins", voided);
        WireTransaction exact = s.ledger.commit(s.releaseDraft("exact", 900, voided.outRef(0), voided.outRef(1),
                voided.outRef(2), voided.outRef(3), voided.outRef(4)));
        save(s, "release-exact", "a release of 900 out of two coins, without change", exact);
        LockState record = (LockState) whole.outRef(2).getState().getData();
        save(s, "refund", "the refund of a lock", s.ledger.commit(s.refundDraft("refund", record, s.permit(1),
                whole.outRef(2), whole.outRef(0), whole.outRef(1))));
    }

    private void issue() throws Exception {
        Scenario s = new Scenario(Kind.MODE_ISSUE);
        save(s, "create-issue", "an issue vault with two permits", s.creation);
        WireTransaction issue = s.ledger.commit(s.releaseDraft("issue", 500, s.permit(0)));
        save(s, "issue", "an issue of 500", issue);
        Draft draft = s.ledger.draft().input(issue.outRef(1)).reference(s.vault);
        s.own(draft, LockState.of(s.vaultState(), 350, Scenario.party(s.bob), Scenario.REFERENCE,
                VaultNames.inputsHash(draft.inputRefs())));
        s.own(draft, new TokenState(150, "GBP", Scenario.party(s.bob), s.vaultId()));
        draft.command(new VaultCommands.Lock(), Scenario.key(s.vaultParty), Scenario.key(s.bob));
        WireTransaction burn = s.ledger.commit(draft);
        save(s, "burn", "a lock of 350 tokens with change of 150", burn);
        Draft next = s.releaseDraft("next", 10, s.permit(1));
        save(s, "void-issue", "the void of an issue", s.ledger.commit(s.voidDraft("void issue", next, "next")));
        LockState record = (LockState) burn.outRef(0).getState().getData();
        save(s, "refund-burn", "the refund of burned tokens",
                s.ledger.commit(s.refundDraft("refund burn", record, issue.outRef(0), burn.outRef(0))));
    }

    private void command() throws Exception {
        Scenario s = new Scenario(Kind.MODE_ESCROW);
        Signer[] g = s.guardians;
        save(s, "create-command", "the vault of the changes of command", s.creation);
        become(s, "pause", "a pause by the authority", s.authorityDraft(Kind.PAUSE, "pause", null));
        become(s, "unpause", "the end of that pause", s.authorityDraft(Kind.UNPAUSE, "unpause", null));
        become(s, "rotate", "a rotation", s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next")));
        guard(s, "guard-pause", GuardianAction.PAUSE, NONE, control(s).pausedByGuardian(true), g[0], g[2]);
        guard(s, "guard-unpause", GuardianAction.UNPAUSE, NONE, control(s).pausedByGuardian(false), g[0], g[1]);
        byte[] other = new Signer("other").address();
        long due = TestLedger.WINDOW.getUntilTime().getEpochSecond() + 1 + 3600;
        guard(s, "guard-propose", GuardianAction.PROPOSE, other, control(s).proposed(other, due), g[1], g[2]);
        guard(s, "guard-cancel", GuardianAction.CANCEL, NONE, control(s).cancelled(), g[1], g[0]);
        s.become(s.guardDraft(s.guard(GuardianAction.PROPOSE, other, g[1], g[2]), control(s).proposed(other, due)));
        Draft complete = s.guardDraft(new Guard(GuardianAction.COMPLETE, NONE, NONE), control(s).completed());
        complete.timeWindow = TestLedger.window(due, due + 60);
        become(s, "guard-complete", "guardians' action 4", complete.recommand(
                (Guard) complete.commands.get(0).getValue(), Scenario.key(s.vaultParty)));
    }

    private WireTransaction last;

    private static VaultControl control(Scenario s) {
        return s.vaultState().getControl();
    }

    private void guard(Scenario s, String id, int action, byte[] argument, VaultControl after, Signer... signers)
            throws Exception {
        Guard guard = s.guard(action, argument, signers);
        become(s, id, "guardians' action " + action, s.guardDraft(guard, after).recommand(guard, Scenario.key(s.vaultParty)));
    }

    private void become(Scenario s, String id, String what, Draft draft) throws Exception {
        last = s.ledger.commit(draft);
        s.vault = last.outRef(0);
        save(s, id, what, last);
    }

    private void save(Scenario s, String id, String what, WireTransaction transaction) throws Exception {
        FilteredTransaction filtered = FilteredTransaction.buildFilteredTransaction(transaction,
                component -> component instanceof Party || component instanceof TimeWindow);
        filtered.verify();
        List<String> signatures = new ArrayList<>();
        signatures.add(signature(transaction.getId(), s.vaultParty, null));
        List<SecureHash> leaves = Collections.singletonList(SecureHash.sha256(transaction.getId().getBytes()));
        MerkleTree batch = MerkleTree.Companion.getMerkleTree(leaves);
        signatures.add(signature(transaction.getId(), TestLedger.NOTARY,
                PartialMerkleTree.Companion.build(batch, leaves)));
        List<String> groups = new ArrayList<>();
        TreeMap<Integer, String> counts = new TreeMap<>();
        for (ComponentGroup group : transaction.getComponentGroups()) {
            groups.add("{\"groupIndex\":" + group.getGroupIndex() + ",\"components\":" + quoted(group.getComponents()) + "}");
            counts.put(group.getGroupIndex(), "[" + group.getGroupIndex() + "," + group.getComponents().size() + "]");
        }
        List<String> hashes = new ArrayList<>();
        for (SecureHash hash : filtered.getGroupHashes()) hashes.add("\"" + Bytes.hex(hash.getBytes()) + "\"");
        List<String> shown = new ArrayList<>();
        for (FilteredComponentGroup group : filtered.getFilteredComponentGroups()) {
            shown.add("{\"groupIndex\":" + group.getGroupIndex() + ",\"components\":" + quoted(group.getComponents())
                    + ",\"nonces\":" + quoted(group.getNonces()) + ",\"partialMerkleTree\":"
                    + tree(group.getPartialMerkleTree().getRoot()) + "}");
        }
        String tx = Bytes.hex(transaction.getId().getBytes());
        String text = "{\"txId\":\"" + tx + "\",\"privacySalt\":\"" + Bytes.hex(transaction.getPrivacySalt().getBytes())
                + "\",\"digest\":\"SHA-256\",\n\"componentGroups\":[" + String.join(",\n", groups) + "],\n\"sigs\":["
                + String.join(",\n", signatures) + "],\n\"notary\":\"O=Notary, L=London, C=GB\",\"outputs\":"
                + transaction.getOutputs().size() + ",\"inputs\":" + transaction.getInputs().size() + ",\n\"filtered\":{\"id\":\""
                + tx + "\",\"groupHashes\":[" + String.join(",", hashes) + "],\n\"filteredComponentGroups\":["
                + String.join(",\n", shown) + "]}}\n";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Files.write(folder.resolve(id + ".json"), bytes);
        entries.add("  {\"id\": \"" + id + "\", \"file\": \"" + id + ".json\", \"what\": \"" + what + "\", \"txId\": \"" + tx
                + "\",\n   \"expect\": {\"result\": \"valid\", \"partySignatures\": 1, \"notarySignatures\": 1, \"groups\": ["
                + String.join(",", counts.values()) + "]},\n   \"bytes\": " + bytes.length + ", \"sha256\": \""
                + Bytes.hex(MessageDigest.getInstance("SHA-256").digest(bytes)) + "\"}");
    }

    private static String signature(SecureHash id, TestIdentity by, PartialMerkleTree tree) throws Exception {
        KeyPair keys = by.getKeyPair();
        SignatureScheme scheme = Crypto.EDDSA_ED25519_SHA512;
        SecureHash signed = tree == null ? id : PartialMerkleTree.Companion.rootAndUsedHashes(tree.getRoot(), new ArrayList<>());
        SignatureMetadata metadata = new SignatureMetadata(12, scheme.getSchemeNumberID());
        SerializationFactory factory = SerializationFactory.Companion.getDefaultFactory();
        byte[] bytes = SerializationAPIKt.serialize(new SignableData(signed, metadata), factory, factory.getDefaultContext())
                .getBytes();
        byte[] made = Crypto.doSign(scheme, keys.getPrivate(), bytes);
        TransactionSignature whole = new TransactionSignature(made, keys.getPublic(), metadata, tree);
        return "{\"by_spki\":\"" + Bytes.hex(keys.getPublic().getEncoded()) + "\",\"scheme\":\"" + scheme.getSchemeCodeName()
                + "\",\"schemeNumberID\":" + scheme.getSchemeNumberID() + ",\"platformVersion\":12,\"isNotary\":" + (tree != null)
                + ",\"validPerCorda\":" + whole.isValid(id) + ",\"partialMerkleTree\":"
                + (tree == null ? "null" : tree(tree.getRoot())) + ",\"signedHash\":\"" + Bytes.hex(signed.getBytes())
                + "\",\"signature\":\"" + Bytes.hex(made) + "\",\"signedBytes\":\"" + Bytes.hex(bytes) + "\"}";
    }

    private static String tree(PartialMerkleTree.PartialTree tree) {
        if (tree instanceof PartialMerkleTree.PartialTree.IncludedLeaf)
            return "{\"included\":\"" + Bytes.hex(((PartialMerkleTree.PartialTree.IncludedLeaf) tree).getHash().getBytes()) + "\"}";
        if (tree instanceof PartialMerkleTree.PartialTree.Leaf)
            return "{\"leaf\":\"" + Bytes.hex(((PartialMerkleTree.PartialTree.Leaf) tree).getHash().getBytes()) + "\"}";
        PartialMerkleTree.PartialTree.Node node = (PartialMerkleTree.PartialTree.Node) tree;
        return "{\"left\":" + tree(node.getLeft()) + ",\"right\":" + tree(node.getRight()) + "}";
    }

    private static String quoted(List<? extends OpaqueBytes> items) {
        List<String> texts = new ArrayList<>();
        for (OpaqueBytes item : items) texts.add("\"" + Bytes.hex(item.getBytes()) + "\"");
        return "[" + String.join(",", texts) + "]";
    }
}
