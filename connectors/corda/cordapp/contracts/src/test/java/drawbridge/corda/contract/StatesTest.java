package drawbridge.corda.contract;

import net.corda.core.contracts.ContractState;
import net.corda.core.identity.Party;
import net.corda.testing.core.TestIdentity;
import org.junit.Test;

import java.util.Arrays;
import java.util.Collections;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;

/** That two states are equal means that every field is: the rules compare what is there with what must be. */
public class StatesTest {
    private static final byte[] A = Bytes.keccak256(Bytes.utf8("a"));
    private static final byte[] B = Bytes.keccak256(Bytes.utf8("b"));
    private static final Party VAULT = TestLedger.identity("Vault", 3).getParty();
    private static final TestIdentity ALICE = TestLedger.identity("Alice", 4);
    private static final Party BOB = TestLedger.identity("Bob", 5).getParty();

    private static VaultTerms terms(int changed) {
        long[] n = new long[15];
        if (changed >= 0) n[changed] = 1;
        return new VaultTerms(n[0] == 0 ? A : B, 60 + n[1], n[2] == 0 ? A : B, n[3] == 0 ? "GBP" : "EUR", n[4] == 0 ? A : B,
                1 + n[5], (int) (1 + n[6]), n[7] == 0 ? A : B, n[8] == 0 ? A : B, n[9] == 0 ? A : B, (int) (1 + n[10]),
                n[11] == 0 ? A : B, 1 + n[12], (int) (1 + n[13]), n[14] == 0 ? A : B);
    }

    private static void allDiffer(Object one, Object same, Object... others) {
        assertEquals(one, same);
        assertEquals(one.hashCode(), same.hashCode());
        for (Object other : others) assertNotEquals(one, other);
        assertNotEquals(one, "a text");
    }

    @Test
    public void terms() {
        for (int i = 0; i < 15; i++) allDiffer(terms(-1), terms(-1), terms(i));
        VaultTerms t = terms(-1);
        assertEquals(60, t.getCapWindowSeconds());
        assertEquals(1, t.getGuardianDelaySeconds());
        assertEquals(1, t.getGuardianThreshold());
        assertEquals(1, t.getPermits());
        assertEquals(1, t.getPermitCap());
        assertArrayEquals(A, t.getServiceId());
        assertArrayEquals(A, t.getNetworkIdHash());
        assertArrayEquals(A, t.getGenesisHash());
        assertArrayEquals(A, t.getAsset());
    }

    @Test
    public void vaults() {
        VaultControl control = VaultControl.first(new byte[20]);
        allDiffer(new VaultState(control, terms(-1), A, VAULT), new VaultState(control, terms(-1), A, VAULT),
                new VaultState(control.completed(), terms(-1), A, VAULT), new VaultState(control, terms(0), A, VAULT),
                new VaultState(control, terms(-1), B, VAULT), new VaultState(control, terms(-1), A, BOB));
    }

    @Test
    public void permits() {
        allDiffer(new PermitState(1, 2, 3, A, 4, 5, A, VAULT), new PermitState(1, 2, 3, A, 4, 5, A, VAULT),
                new PermitState(0, 2, 3, A, 4, 5, A, VAULT), new PermitState(1, 0, 3, A, 4, 5, A, VAULT),
                new PermitState(1, 2, 0, A, 4, 5, A, VAULT), new PermitState(1, 2, 3, B, 4, 5, A, VAULT),
                new PermitState(1, 2, 3, A, 0, 5, A, VAULT), new PermitState(1, 2, 3, A, 4, 0, A, VAULT),
                new PermitState(1, 2, 3, A, 4, 5, B, VAULT), new PermitState(1, 2, 3, A, 4, 5, A, BOB));
    }

    @Test
    public void coinsAndTokens() {
        allDiffer(new CoinState(1, A, VAULT), new CoinState(1, A, VAULT), new CoinState(2, A, VAULT), new CoinState(1, B, VAULT),
                new CoinState(1, A, BOB));
        allDiffer(new TokenState(1, "X", BOB, A), new TokenState(1, "X", BOB, A), new TokenState(2, "X", BOB, A),
                new TokenState(1, "Y", BOB, A), new TokenState(1, "X", VAULT, A), new TokenState(1, "X", BOB, B));
    }

    @Test
    public void locks() {
        allDiffer(new LockState(1, "X", BOB, A, A, A, A, A, VAULT), new LockState(1, "X", BOB, A, A, A, A, A, VAULT),
                new LockState(2, "X", BOB, A, A, A, A, A, VAULT), new LockState(1, "Y", BOB, A, A, A, A, A, VAULT),
                new LockState(1, "X", VAULT, A, A, A, A, A, VAULT), new LockState(1, "X", BOB, B, A, A, A, A, VAULT),
                new LockState(1, "X", BOB, A, B, A, A, A, VAULT), new LockState(1, "X", BOB, A, A, B, A, A, VAULT),
                new LockState(1, "X", BOB, A, A, A, B, A, VAULT), new LockState(1, "X", BOB, A, A, A, A, B, VAULT),
                new LockState(1, "X", BOB, A, A, A, A, A, BOB));
    }

    /** Whose nodes keep a state: its vault's party, of a record its depositor too, of a token its owner. */
    @Test
    public void keepers() {
        ContractState[] ofTheVault = {new SeedState(VAULT), new CoinState(1, A, VAULT), PermitState.first(0, A, VAULT),
            new VaultState(VaultControl.first(new byte[20]), terms(-1), A, VAULT)};
        for (ContractState state : ofTheVault) assertEquals(Collections.singletonList(VAULT), state.getParticipants());
        assertEquals(Arrays.asList(VAULT, ALICE.getParty()),
                new LockState(1, "X", ALICE.getParty(), A, A, A, A, A, VAULT).getParticipants());
        assertEquals(Collections.singletonList(VAULT), new LockState(1, "X", VAULT, A, A, A, A, A, VAULT).getParticipants());
        assertEquals(Collections.singletonList(BOB), new TokenState(1, "X", BOB, A).getParticipants());
    }

    /** Flows find states by these. */
    @Test
    public void namesForQueries() {
        assertEquals(Bytes.hex(A), new LockState(1, "X", BOB, A, A, A, B, B, VAULT).getLinearId().getExternalId());
        assertEquals(Bytes.hex(B), new VaultState(VaultControl.first(new byte[20]), terms(-1), B, VAULT).getLinearId().getExternalId());
        PermitState one = new PermitState(1, 2, 3, A, 4, 5, B, VAULT);
        assertEquals(Bytes.hex(A), one.getLinearId().getExternalId());
        assertNotEquals(one.getLinearId().getId(), new PermitState(1, 2, 4, A, 4, 5, B, VAULT).getLinearId().getId());
        assertEquals(one.getLinearId().getId(), one.voidedBy(B).getLinearId().getId());
    }
}
