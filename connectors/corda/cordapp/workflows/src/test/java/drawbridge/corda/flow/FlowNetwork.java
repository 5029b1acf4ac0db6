package drawbridge.corda.flow;

import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.GuardianAction;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.InstructionDigest;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;
import net.corda.core.flows.FlowLogic;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.finance.contracts.asset.Cash;
import net.corda.finance.flows.CashIssueAndPaymentFlow;
import net.corda.testing.common.internal.ParametersUtilitiesKt;
import net.corda.testing.node.MockNetwork;
import net.corda.testing.node.MockNetworkNotarySpec;
import net.corda.testing.node.MockNetworkParameters;
import net.corda.testing.node.StartedMockNode;
import org.bouncycastle.util.encoders.Hex;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Currency;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

/**
 * Corda's own nodes in one process, with a validating notary: a bank that keeps vaults, and Alice. One for all tests, since
 * nodes take most of their time to warm up; each test has vaults of its own. It ends with the process.
 */
final class FlowNetwork {
    private static FlowNetwork shared;
    static final String CURRENCY = "GBP";
    private static final int PATIENCE_SECONDS = 120;
    private static final int LOOK_EVERY_MS = 20;
    private static final List<String> CORDAPPS = Arrays.asList("drawbridge.corda.contract", "drawbridge.corda.flow",
            "net.corda.finance");
    private static final byte[] NONE = new byte[0];

    final SigningKey authority = new SigningKey("authority");
    final SigningKey guardian = new SigningKey("guardian");
    final StartedMockNode bank;
    final StartedMockNode alice;
    private final MockNetwork network;
    private int drawn;

    static synchronized FlowNetwork shared() {
        if (shared == null) shared = new FlowNetwork();
        return shared;
    }

    private FlowNetwork() {
        network = new MockNetwork(CORDAPPS, new MockNetworkParameters().withThreadPerNode(true)
                .withNetworkParameters(ParametersUtilitiesKt.testNetworkParameters(Collections.emptyList(), 4))
                .withNotarySpecs(Collections.singletonList(new MockNetworkNotarySpec(name("Notary"), true))));
        bank = node("Bank");
        alice = node("Alice");
    }

    StartedMockNode node(String organisation) {
        return network.createPartyNode(name(organisation));
    }

    private static CordaX500Name name(String organisation) {
        return new CordaX500Name(organisation, "London", "GB");
    }

    Party notary() {
        return network.getDefaultNotaryIdentity();
    }

    static Party party(StartedMockNode node) {
        return node.getInfo().getLegalIdentities().get(0);
    }

    /** The flow's answer. @throws Exception what the flow threw. */
    <T> T run(StartedMockNode node, FlowLogic<? extends T> flow) throws Exception {
        try {
            return node.<T>startFlow(flow).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Exception) throw (Exception) failed.getCause();
            throw failed;
        }
    }

    /** That the flow ends with words that begin like this, the contract's refusals with {@code REFUSED: CODE}. */
    void refused(String words, StartedMockNode node, FlowLogic<?> flow) throws Exception {
        try {
            run(node, flow);
        } catch (Exception refused) {
            String message = String.valueOf(refused.getMessage());
            assertTrue(message, message.startsWith(words));
            return;
        }
        fail("not refused: " + words);
    }

    /** That the notary does not sign: what is consumed was consumed before. */
    void notaryRefused(StartedMockNode node, FlowLogic<?> flow) throws Exception {
        refused("Unable to notarise transaction", node, flow);
    }

    byte[] draw() {
        return Bytes.keccak256(Bytes.utf8("drawn " + ++drawn));
    }

    private VaultTerms terms(int mode, byte[] constraint) {
        boolean cash = mode == Kind.MODE_ESCROW;
        byte[] word = Bytes.keccak256(Bytes.utf8("word"));
        return new VaultTerms(word, 3_600, cash ? constraint : NONE, CURRENCY, word, 1, 1, guardian.address(),
                cash ? party(alice).getOwningKey().getEncoded() : NONE, cash ? new byte[]{1} : NONE, mode, word, 1_000_000, 2, word);
    }

    /** A vault of the bank; one for cash takes Alice's. */
    byte[] vault(int mode) throws Exception {
        return vault(bank, mode);
    }

    byte[] vault(StartedMockNode keeper, int mode) throws Exception {
        byte[] constraint = Hex.decode(run(keeper, new CashConstraint()));
        return Hex.decode(run(keeper, new CreateVault(terms(mode, constraint), authority.address(), notary())));
    }

    VaultView view(byte[] vaultId) throws Exception {
        return run(bank, new DescribeVault(vaultId));
    }

    void issueCash(StartedMockNode to, long amount) throws Exception {
        SignedTransaction paid = run(alice, new CashIssueAndPaymentFlow(new Amount<>(amount, Currency.getInstance(CURRENCY)),
                OpaqueBytes.of((byte) 1), party(to), false, notary())).getStx();
        awaitRecorded(to, paid.getId());
    }

    /** A node records what another made moments after that one's flow has ended. */
    private static void awaitRecorded(StartedMockNode node, SecureHash id) throws InterruptedException {
        until("the node has the transaction",
                () -> node.transaction(() -> node.getServices().getValidatedTransactions().getTransaction(id)) != null);
    }

    private static void until(String what, BooleanSupplier holds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!holds.getAsBoolean()) {
            assertTrue("not in time: " + what, System.nanoTime() < end);
            Thread.sleep(LOOK_EVERY_MS);
        }
    }

    /** Cash of a node that no vault guards, as the node has it now. */
    long cashOf(StartedMockNode node) {
        return node.transaction(() -> node.getServices().getVaultService().queryBy(Cash.State.class).getStates().stream()
                .filter(coin -> coin.getState().getEncumbrance() == null
                        && coin.getState().getData().getOwner().getOwningKey().equals(party(node).getOwningKey()))
                .mapToLong(coin -> coin.getState().getData().getAmount().getQuantity()).sum());
    }

    StateAndRef<LockState> lock(byte[] vaultId, long amount) throws Exception {
        String id = run(alice, new LockValue(party(bank), vaultId, draw(), amount));
        byte[] lock = Hex.decode(id);
        until("the vault party has the lock",
                () -> bank.transaction(() -> !VaultBook.locks(bank.getServices(), lock).isEmpty()));
        return run(bank, new FindLock(lock));
    }

    /** Cash and guard that an escrow lock made. */
    static List<StateRef> coin(StateAndRef<LockState> lock) {
        return Arrays.asList(new StateRef(lock.getRef().getTxhash(), 0), new StateRef(lock.getRef().getTxhash(), 1));
    }

    /** A permit, and what else is consumed. */
    List<StateRef> withPermit(byte[] vaultId, List<StateRef> others) throws Exception {
        List<StateRef> refs = new ArrayList<>(Collections.singletonList(view(vaultId).getPermits().get(0)));
        refs.addAll(others);
        return refs;
    }

    Instruct instruct(byte[] vaultId, int kind, List<StateRef> refs, long amount, Party payee, byte[] subject, long notAfter)
            throws Exception {
        VaultState vault = view(vaultId).getState();
        byte[] beneficiary = payee == null ? new byte[32] : VaultNames.accountWord(payee.getOwningKey());
        Instruct told = new Instruct(draw(), kind, subject, vault.getTerms().getAsset(), amount, beneficiary,
                VaultNames.inputsHash(refs), notAfter, vault.getControl().getEpoch(), NONE, new byte[65]);
        byte[] salt = vault.getTerms().salt(vaultId);
        return told.signedBy(authority.sign(InstructionDigest.digest(salt, InstructionDigest.structHash(told))));
    }

    Instruct release(byte[] vaultId, List<StateRef> refs, long amount) throws Exception {
        return instruct(vaultId, Kind.RELEASE, refs, amount, party(alice), draw(), 0);
    }

    ExecuteInstruction paying(byte[] vaultId, Instruct told, List<StateRef> refs) {
        return new ExecuteInstruction(vaultId, told, refs, party(alice));
    }

    /** Alice has it too. @return the transaction */
    String pay(byte[] vaultId, Instruct told, List<StateRef> refs) throws Exception {
        String transaction = run(bank, paying(vaultId, told, refs));
        awaitRecorded(alice, SecureHash.create(transaction));
        return transaction;
    }

    Guard guard(byte[] vaultId, int action, byte[] proposed) throws Exception {
        byte[] digest = GuardianAction.digest(view(vaultId).getState(), action, proposed);
        return new Guard(action, proposed, guardian.sign(digest));
    }
}
