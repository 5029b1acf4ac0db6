package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.VaultContract;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TransactionState;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.SecureHash;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.node.services.Vault;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

/** Which transactions become events, and where the cursor is when something fails in between. */
public class FollowerTest {
    private static final JsonNode VECTORS = Vectors.agent();
    private static final long T = 1_700_000_000_000L;
    private static final int OURS = 7;
    private static final Party PARTY = new Party(new CordaX500Name("Boreal Bank", "Paris", "FR"),
            Crypto.deriveKeyPairFromEntropy(Crypto.EDDSA_ED25519_SHA512, BigInteger.ONE).getPublic());

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final NodeDouble node = new NodeDouble().on("vaultQueryBy", any -> page())
            .on("vaultQueryByWithPagingSpec", any -> page());
    private final List<StateAndRef<ContractState>> states = new ArrayList<>();
    private final List<Vault.StateMetadata> times = new ArrayList<>();
    private final List<SecureHash> handedOver = new ArrayList<>();
    private int mayGo = Integer.MAX_VALUE;
    private Code proofFails;
    private SecureHash asked;
    private Follower follower;

    @Before
    public void start() throws IOException, GeneralSecurityException {
        Path state = folder.getRoot().toPath().resolve("state");
        Settings settings = new Settings("corda", state, List.of("0x" + "07".repeat(32)), null, null, null, null, 2, 1_000, 60_000, 1,
                60, 15, 1, null);
        SealedBodies bodies = new SealedBodies(PemKeys.privateKey(VECTORS.get("agent").get("privateKey").asText()),
                PemKeys.publicKey(VECTORS.get("connector").get("publicKey").asText()));
        follower = new Follower(settings, bodies, node, () -> null, transaction -> {
            asked = transaction;
            if (proofFails != null) throw new AgentException(proofFails);
            return new Transactions.Proven(new byte[32], new byte[]{1});
        }, new ServedVaults(settings.vaults()));
    }

    private Vault.Page<ContractState> page() {
        return new Vault.Page<>(List.copyOf(states), List.copyOf(times), -1, Vault.StateStatus.ALL, List.of());
    }

    private SecureHash recorded(int number, int vault, long atMs) {
        byte[] id = new byte[32];
        Arrays.fill(id, (byte) number);
        SecureHash transaction = new SecureHash.SHA256(id);
        byte[] vaultId = new byte[32];
        Arrays.fill(vaultId, (byte) vault);
        StateRef ref = new StateRef(transaction, states.size());
        states.add(new StateAndRef<>(new TransactionState<>(PermitState.first(0, vaultId, PARTY), VaultContract.ID, PARTY), ref));
        times.add(new Vault.StateMetadata(ref, PermitState.class.getName(), Instant.ofEpochMilli(atMs), null,
                Vault.StateStatus.UNCONSUMED, PARTY, null, null));
        return transaction;
    }

    private void poll() throws AgentException, IOException, GeneralSecurityException {
        follower.poll((key, properties, body) -> {
            assertEquals("event", key);
            if (mayGo-- <= 0) return false;
            handedOver.add(asked);
            return true;
        });
    }

    private long onDisk() throws IOException {
        return new CursorFile(folder.getRoot().toPath().resolve("state")).read();
    }

    @Test
    public void eachTransactionOfAServedVaultOnce() throws Exception {
        SecureHash first = recorded(1, OURS, T);
        recorded(1, OURS, T);
        recorded(2, 8, T + 1);
        SecureHash third = recorded(3, OURS, T + 2);
        poll();
        poll();
        assertEquals(List.of(first, third), handedOver);
        assertEquals(T + 2, onDisk());
    }

    @Test
    public void theCursorStopsBeforeWhatTheBrokerDidNotTake() throws Exception {
        SecureHash first = recorded(1, OURS, T);
        SecureHash second = recorded(2, OURS, T + 10);
        SecureHash third = recorded(3, OURS, T + 20);
        mayGo = 1;
        poll();
        assertEquals(List.of(first), handedOver);
        assertEquals(T, onDisk());
        mayGo = Integer.MAX_VALUE;
        poll();
        assertEquals(List.of(first, second, third), handedOver);
        assertEquals(T + 20, onDisk());
    }

    @Test
    public void theCursorStopsBeforeATransactionThatTheNodeDoesNotGiveNow() throws Exception {
        recorded(1, OURS, T);
        for (Code code : new Code[]{Code.NODE_UNAVAILABLE, Code.TRANSACTION_UNKNOWN}) {
            proofFails = code;
            assertEquals(code, assertThrows(AgentException.class, this::poll).code());
            assertEquals(0, onDisk());
        }
        proofFails = null;
        poll();
        assertEquals(1, handedOver.size());
        assertEquals(T, onDisk());
    }

    @Test
    public void aProofThatCannotBeIsAnEventWithoutOne() throws Exception {
        recorded(1, OURS, T);
        proofFails = Code.PROOF_TOO_LARGE;
        poll();
        assertEquals(1, handedOver.size());
        assertEquals(T, onDisk());
    }

    @Test
    public void whatWasSetBackComesAgainAlsoInTheMiddleOfAPoll() throws Exception {
        SecureHash first = recorded(1, OURS, T);
        SecureHash second = recorded(2, OURS, T + 10);
        poll();
        follower.from(T - 5);
        assertEquals(T - 5, onDisk());
        boolean[] once = new boolean[1];
        follower.poll((key, properties, body) -> {
            handedOver.add(asked);
            if (!once[0]) setBack();
            once[0] = true;
            return true;
        });
        assertEquals(T - 50, onDisk());
        poll();
        assertEquals(List.of(first, second, first, first, second), handedOver);
        assertEquals(T + 10, onDisk());
    }

    private void named(SecureHash... transactions) throws AgentException, GeneralSecurityException {
        List<NamedTransactions.Named> first = new ArrayList<>();
        for (SecureHash each : transactions) first.add(new NamedTransactions.Named(each, new byte[32], T + 1));
        follower.handOverNamed((key, properties, body) -> {
            if (mayGo-- <= 0) return false;
            handedOver.add(asked);
            return true;
        }, first);
    }

    @Test
    public void whatNewsNamedGoesFirstAndOnceAndTheLookAtEverythingMovesTheCursorPastIt() throws Exception {
        SecureHash before = recorded(1, OURS, T - 10);
        SecureHash named = recorded(2, OURS, T);
        named(named, named);
        assertEquals(List.of(named), handedOver);
        assertEquals("something else may have been recorded before", 0, onDisk());
        poll();
        assertEquals(List.of(named, before), handedOver);
        assertEquals(T, onDisk());
        named(named);
        assertEquals(2, handedOver.size());
    }

    @Test
    public void whatNewsNamedAndTheBrokerDidNotTakeIsFoundByTheLookAtEverything() throws Exception {
        SecureHash first = recorded(1, OURS, T);
        mayGo = 0;
        named(first);
        assertEquals(List.of(), handedOver);
        mayGo = Integer.MAX_VALUE;
        poll();
        assertEquals(List.of(first), handedOver);
    }

    @Test
    public void whatNewsNamedWhileTheCursorWasSetBackComesAgain() throws Exception {
        SecureHash first = recorded(1, OURS, T);
        poll();
        SecureHash second = recorded(2, OURS, T + 10);
        follower.handOverNamed((key, properties, body) -> {
            handedOver.add(asked);
            setBack();
            return true;
        }, List.of(new NamedTransactions.Named(second, new byte[32], T + 10)));
        poll();
        assertEquals(List.of(first, second, first, second), handedOver);
    }

    @Test
    public void theLookAtEverythingTellsHowLongWhatNewsNamedTook() throws Exception {
        SecureHash named = recorded(1, OURS, T);
        PrintStream former = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            named(named);
            assertEquals("", log.toString(StandardCharsets.UTF_8));
            poll();
            poll();
        } finally {
            System.setErr(former);
        }
        List<String> lines = log.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(2, lines.size());
        assertTrue(lines.get(0), lines.get(0).endsWith("\"event\":\"event-heard\",\"ms\":1}"));
        assertTrue(lines.get(1), lines.get(1).contains("\"event\":\"event-handed-over\",\"ms\":"));
    }

    private void setBack() {
        try {
            follower.from(T - 50);
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
    }
}
