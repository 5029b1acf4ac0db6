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
import net.corda.core.messaging.DataFeed;
import net.corda.core.node.services.Vault;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import rx.subjects.PublishSubject;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

/** The follower as it runs, with a feed that a test speaks for: what wakes it, and that it follows without a feed too. */
public class FollowerWakeTest {
    private static final JsonNode VECTORS = Vectors.agent();
    private static final long T = 1_700_000_000_000L;
    /** No test lasts so long: who is woken earlier was woken by news. */
    private static final int NEVER_MS = 60_000;
    private static final int OFTEN_MS = 100;
    private static final int PATIENCE_SECONDS = 30;
    private static final Party PARTY = new Party(new CordaX500Name("Boreal Bank", "Paris", "FR"),
            Crypto.deriveKeyPairFromEntropy(Crypto.EDDSA_ED25519_SHA512, BigInteger.ONE).getPublic());

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private final PublishSubject<Object> feed = PublishSubject.create();
    private final BlockingQueue<Integer> looks = new LinkedBlockingQueue<>();
    private final BlockingQueue<SecureHash> handedOver = new LinkedBlockingQueue<>();
    /** Of the next proofs that are asked for. */
    private final Queue<Code> failures = new ConcurrentLinkedQueue<>();
    private final NodeDouble node = new NodeDouble();
    private volatile Vault.Page<ContractState> records = page(List.of(), List.of());
    private volatile SecureHash asked;
    private Follower follower;
    private Thread running;

    @Before
    public void answers() {
        node.on("vaultTrackBy", any -> new DataFeed<>(records, feed)).on("vaultQueryBy", any -> {
            Vault.Page<ContractState> now = records;
            looks.add(1);
            return now;
        }).on("vaultQueryByWithPagingSpec", any -> records);
    }

    @After
    public void end() throws InterruptedException {
        follower.stop();
        running.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        assertFalse(running.isAlive());
        assertFalse("the feed is closed", feed.hasObservers());
    }

    private void follow(int pollMs) throws IOException, GeneralSecurityException, InterruptedException {
        Settings settings = new Settings("corda", folder.getRoot().toPath().resolve("state"), List.of("0x" + "07".repeat(32)),
                null, null, null, null, 2, pollMs, NEVER_MS, 1, 60, 15, 1, null);
        SealedBodies bodies = new SealedBodies(PemKeys.privateKey(VECTORS.get("agent").get("privateKey").asText()),
                PemKeys.publicKey(VECTORS.get("connector").get("publicKey").asText()));
        Publishing line = (key, properties, body) -> handedOver.add(asked);
        follower = new Follower(settings, bodies, node, () -> line, transaction -> {
            Code failure = failures.poll();
            if (failure != null) throw new AgentException(failure);
            asked = transaction;
            return new Transactions.Proven(new byte[32], new byte[]{1});
        }, new ServedVaults(settings.vaults()));
        running = Daemons.named("follower").newThread(() -> {
            try {
                follower.run();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });
        running.start();
        assertNotNull("the first look", looks.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }

    private SecureHash record(int number, int inVault) {
        byte[] id = new byte[32];
        Arrays.fill(id, (byte) number);
        byte[] vault = new byte[32];
        Arrays.fill(vault, (byte) inVault);
        StateRef ref = new StateRef(new SecureHash.SHA256(id), 0);
        StateAndRef<ContractState> state =
                new StateAndRef<>(new TransactionState<>(PermitState.first(0, vault, PARTY), VaultContract.ID, PARTY), ref);
        records = page(List.of(state), List.of(new Vault.StateMetadata(ref, PermitState.class.getName(),
                Instant.ofEpochMilli(T), null, Vault.StateStatus.UNCONSUMED, PARTY, null, null)));
        return ref.getTxhash();
    }

    private static Vault.Page<ContractState> page(List<StateAndRef<ContractState>> states, List<Vault.StateMetadata> times) {
        return new Vault.Page<>(states, times, -1, Vault.StateStatus.ALL, List.of());
    }

    private SecureHash next() throws InterruptedException {
        return handedOver.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** What the node would say of what is recorded now. */
    private Vault.Update<ContractState> news() {
        return new Vault.Update<>(Set.of(), Set.copyOf(records.getStates()));
    }

    @Test
    public void whatNewsNameIsHandedOverWithoutALookAtEverything() throws Exception {
        follow(NEVER_MS);
        SecureHash recorded = record(1, 7);
        feed.onNext(news());
        assertEquals(recorded, next());
        assertTrue(looks.isEmpty());
    }

    @Test
    public void newsOfOtherVaultsHandNothingOver() throws Exception {
        follow(NEVER_MS);
        record(1, 8);
        feed.onNext(news());
        SecureHash recorded = record(2, 7);
        feed.onNext(news());
        assertEquals(recorded, next());
        assertTrue(handedOver.isEmpty());
    }

    @Test
    public void whatNewsNamedAndCouldNotBeProvenIsFoundByALookAtEverything() throws Exception {
        failures.add(Code.TRANSACTION_UNKNOWN);
        follow(OFTEN_MS);
        SecureHash recorded = record(1, 7);
        feed.onNext(news());
        assertEquals(recorded, next());
        assertFalse(looks.isEmpty());
    }

    @Test
    public void withoutAFeedThePollFinds() throws Exception {
        node.on("vaultTrackBy", any -> {
            throw new IllegalStateException("no permission");
        });
        follow(OFTEN_MS);
        assertEquals(record(2, 7), next());
    }

    @Test
    public void afterTheEndOfTheFeedThePollFinds() throws Exception {
        follow(OFTEN_MS);
        feed.onError(new IllegalStateException("gone"));
        assertEquals(record(3, 7), next());
    }
}
