package drawbridge.corda.contract;

import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.Contract;
import net.corda.core.contracts.HashAttachmentConstraint;
import net.corda.core.contracts.PrivacySalt;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.contracts.TransactionVerificationException;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.SecureHash;
import net.corda.core.crypto.SignableData;
import net.corda.core.crypto.SignatureMetadata;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.internal.TransactionUtilsKt;
import net.corda.core.node.NotaryInfo;
import net.corda.core.transactions.LedgerTransaction;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.core.transactions.WireTransaction;
import net.corda.finance.contracts.asset.Cash;
import net.corda.testing.common.internal.ParametersUtilitiesKt;
import net.corda.testing.core.TestIdentity;
import net.corda.testing.node.MockServices;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.fail;

/** A ledger in memory: Corda's own verification with real attachments, and a notary that refuses what was spent. */
final class TestLedger {
    /** A bucket of the test vaults' cap begins here. */
    static final long START = 1_799_996_400L;
    static final TimeWindow WINDOW = window(START + 60, START + 120);

    static final TestIdentity NOTARY = identity("Notary", 1);
    static final TestIdentity OTHER_NOTARY = identity("Other notary", 11);
    /** One for all tests: packing the two contracts into jars takes most of a minute. */
    private static final MockServices SERVICES = new MockServices(
            Arrays.asList("drawbridge.corda.contract", "net.corda.finance.contracts.asset"), identity("Node", 2),
            ParametersUtilitiesKt.testNetworkParameters(
                    Arrays.asList(new NotaryInfo(NOTARY.getParty(), false), new NotaryInfo(OTHER_NOTARY.getParty(), false)), 4), NOTARY);
    final AttachmentConstraint vaultJar = jarOf(VaultContract.ID);
    final AttachmentConstraint cashJar = jarOf(Cash.PROGRAM_ID);
    private final Set<StateRef> spent = new HashSet<>();
    private static int transactions;

    static TestIdentity identity(String name, long entropy) {
        return new TestIdentity(new CordaX500Name(name, "London", "GB"), entropy, Crypto.EDDSA_ED25519_SHA512);
    }

    static TimeWindow window(long from, long until) {
        return TimeWindow.between(Instant.ofEpochSecond(from), Instant.ofEpochSecond(until));
    }

    private AttachmentConstraint jarOf(String contract) {
        SecureHash id = SERVICES.getCordappProvider().getContractAttachmentID(contract);
        if (id == null) throw new IllegalStateException("no attachment has " + contract);
        return new HashAttachmentConstraint(id);
    }

    Party notaryParty() {
        return NOTARY.getParty();
    }

    Draft draft() {
        return new Draft(notaryParty());
    }

    /** Verifies, notarises and records. @throws TransactionVerificationException as Corda does. */
    WireTransaction commit(Draft draft) throws Exception {
        WireTransaction wire = build(draft);
        wire.toLedgerTransaction(SERVICES).verify();
        for (StateRef ref : wire.getInputs()) if (spent.contains(ref)) throw new SpentException(ref);
        for (StateRef ref : wire.getReferences()) if (spent.contains(ref)) throw new SpentException(ref);
        spent.addAll(wire.getInputs());
        return record(wire);
    }

    /** Records a transaction that no contract has seen, as a non-validating notary lets anybody do. */
    WireTransaction forge(Draft draft) throws Exception {
        return record(unchecked(draft));
    }

    /** As it stands, without what Corda's own builder would refuse. */
    private WireTransaction unchecked(Draft draft) {
        List<SecureHash> jars = Stream.of(vaultJar, cashJar)
                .map(jar -> ((HashAttachmentConstraint) jar).getAttachmentId()).collect(Collectors.toList());
        List<StateRef> references = draft.references.stream().map(StateAndRef::getRef).collect(Collectors.toList());
        byte[] salt = Bytes.keccak256(Bytes.word(++transactions));
        return new WireTransaction(TransactionUtilsKt.createComponentGroups(draft.inputRefs(), draft.outputs, draft.commands,
                jars, draft.notary, draft.timeWindow, references, null), new PrivacySalt(salt));
    }

    /** The vault's rules alone: what Corda checks before any contract, and what other contracts say, is left out. */
    void rulesTake(Draft draft) throws Exception {
        new VaultContract().verify(unchecked(draft).toLedgerTransaction(SERVICES));
    }

    /** That the vault's rules alone refuse the draft, and with this code. */
    void rulesRefuse(String code, Draft draft) throws Exception {
        rulesRefuse(new VaultContract(), code, draft);
    }

    void rulesRefuse(Contract contract, String code, Draft draft) throws Exception {
        LedgerTransaction tx = unchecked(draft).toLedgerTransaction(SERVICES);
        refusedAs(code, () -> contract.verify(tx));
    }

    /** That the work ends in a refusal with this code. */
    static void refusedAs(String code, Runnable work) {
        try {
            work.run();
        } catch (Refusal refused) {
            assertEquals(refused.getMessage(), code, refused.getCode());
            return;
        }
        fail("not refused: " + code);
    }

    private static WireTransaction record(WireTransaction wire) throws Exception {
        SignatureMetadata metadata = new SignatureMetadata(12, Crypto.EDDSA_ED25519_SHA512.getSchemeNumberID());
        SERVICES.recordTransactions(new SignedTransaction(wire, Collections.singletonList(
                Crypto.doSign(NOTARY.getKeyPair(), new SignableData(wire.getId(), metadata)))));
        return wire;
    }

    private static WireTransaction build(Draft draft) throws Exception {
        byte[] salt = Bytes.keccak256(Bytes.word(++transactions));
        TransactionBuilder builder = new TransactionBuilder(draft.notary, new UUID(0, transactions), new ArrayList<>(),
                new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), draft.timeWindow,
                new PrivacySalt(salt));
        draft.inputs.forEach(builder::addInputState);
        draft.references.forEach(reference -> builder.addReferenceState(reference.referenced()));
        draft.outputs.forEach(builder::addOutputState);
        draft.commands.forEach(builder::addCommand);
        return builder.toWireTransaction(SERVICES);
    }

    /** That the vault's contract refuses the draft, and with this code. */
    void refuses(String code, Draft draft) throws Exception {
        try {
            commit(draft);
        } catch (TransactionVerificationException refused) {
            Throwable cause = refused;
            while (cause.getCause() != null) cause = cause.getCause();
            String message = String.valueOf(cause.getMessage());
            assertEquals(message, code, message.split(":")[0]);
            return;
        }
        fail("not refused: " + code);
    }

    /** That Corda itself refuses the draft, before any contract. */
    void cordaRefuses(Class<? extends Exception> type, Draft draft) throws Exception {
        try {
            commit(draft);
        } catch (Exception refused) {
            if (type.isInstance(refused)) return;
            throw refused;
        }
        fail("not refused: " + type.getSimpleName());
    }

    /** That the notary refuses it, the contract having nothing against it. */
    void notaryRefuses(Draft draft) throws Exception {
        cordaRefuses(SpentException.class, draft);
    }

    static StateAndRef<?> out(WireTransaction wire, int index) {
        return wire.outRef(index);
    }

    /** A state was spent before. */
    static final class SpentException extends Exception {
        SpentException(StateRef ref) {
            super("spent: " + ref);
        }
    }
}
