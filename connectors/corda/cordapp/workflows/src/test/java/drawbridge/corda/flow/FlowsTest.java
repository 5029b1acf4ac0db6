package drawbridge.corda.flow;

import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.GuardianAction;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;
import org.junit.Test;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

import static drawbridge.corda.flow.FlowNetwork.coin;
import static drawbridge.corda.flow.FlowNetwork.party;
import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

/** Every flow on Corda's own nodes, and that doing it again does nothing twice. */
public class FlowsTest {
    private static final byte[] NONE = new byte[0];
    private final FlowNetwork n = FlowNetwork.shared();

    @Test
    public void whatIsLockedIsReleasedOnceAndTheRestStays() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ESCROW);
        n.issueCash(n.alice, 900);
        long before = n.cashOf(n.alice);
        StateAndRef<LockState> lock = n.lock(vault, 500);
        assertEquals(before - 500, n.cashOf(n.alice));
        assertEquals(500, lock.getState().getData().getAmount());
        assertEquals(party(n.alice), lock.getState().getData().getDepositor());
        List<StateRef> refs = n.withPermit(vault, coin(lock));
        Instruct told = n.release(vault, refs, 200);
        assertNull(n.run(n.bank, new FindInstruction(vault, told.getId())));
        String transaction = n.pay(vault, told, refs);
        assertEquals(transaction, n.pay(vault, told, refs));
        assertEquals(transaction, n.run(n.bank, new FindInstruction(vault, told.getId())));
        assertEquals(before - 300, n.cashOf(n.alice));
        assertEquals(Collections.singletonList(300L), n.view(vault).getCoinAmounts());
        // The same states for another instruction.
        n.notaryRefused(n.bank, n.paying(vault, n.release(vault, refs, 200), refs));
        assertEquals(Collections.singletonList(300L), n.view(vault).getCoinAmounts());
        assertEquals("CONSUMED", n.run(n.bank, new StatusOfState(refs.get(0))));
        assertEquals("UNCONSUMED", n.run(n.bank, new StatusOfState(n.view(vault).getRef())));
        assertEquals("UNKNOWN", n.run(n.alice, new StatusOfState(new StateRef(SecureHash.randomSHA256(), 0))));
    }

    @Test
    public void aVoidTakesWhatItsTargetNeedsAndEachIsDoneOnce() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ESCROW);
        n.issueCash(n.alice, 700);
        StateAndRef<LockState> one = n.lock(vault, 400);
        StateAndRef<LockState> two = n.lock(vault, 300);
        List<StateRef> refs = n.withPermit(vault, Arrays.asList(coin(one).get(0), coin(one).get(1), coin(two).get(0), coin(two).get(1)));
        Instruct target = n.release(vault, refs, 600);
        Instruct voiding = n.instruct(vault, Kind.VOID, refs, 0, null, target.getId(), 0);
        String voided = n.run(n.bank, new ExecuteInstruction(vault, voiding, refs));
        assertEquals(voided, n.run(n.bank, new ExecuteInstruction(vault, voiding, refs)));
        n.notaryRefused(n.bank, n.paying(vault, target, refs));
        assertNull(n.run(n.bank, new FindInstruction(vault, target.getId())));
        assertEquals(700, n.view(vault).getCoinAmounts().stream().mapToLong(amount -> amount).sum());
        // And the other way round.
        StateRef permit = n.view(vault).getPermits().get(1);
        StateAndRef<LockState> record = n.run(n.bank, new FindLock(one.getState().getData().getLockId()));
        List<StateRef> coins = n.view(vault).getCoins();
        List<StateRef> more = Arrays.asList(permit, coins.get(0), new StateRef(coins.get(0).getTxhash(), coins.get(0).getIndex() + 1));
        Instruct paid = n.release(vault, more, 100);
        n.pay(vault, paid, more);
        Instruct late = n.instruct(vault, Kind.VOID, more, 0, null, paid.getId(), 0);
        n.notaryRefused(n.bank, new ExecuteInstruction(vault, late, more));
        assertEquals(one.getRef(), record.getRef());
    }

    @Test
    public void aLockIsRefundedToItsDepositor() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ESCROW);
        n.issueCash(n.alice, 250);
        StateAndRef<LockState> lock = n.lock(vault, 250);
        long before = n.cashOf(n.alice);
        List<StateRef> refs = n.withPermit(vault, Arrays.asList(lock.getRef(), coin(lock).get(0), coin(lock).get(1)));
        byte[] id = lock.getState().getData().getLockId();
        Instruct told = n.instruct(vault, Kind.REFUND, refs, 250, party(n.alice), id, 0);
        String transaction = n.pay(vault, told, refs);
        assertEquals(transaction, n.pay(vault, told, refs));
        assertEquals(before + 250, n.cashOf(n.alice));
        assertEquals("CONSUMED", n.run(n.bank, new StatusOfState(lock.getRef())));
        assertNull(n.run(n.bank, new FindLock(n.draw())));
    }

    @Test
    public void tokensAreIssuedMovedBurnedAndIssuedAgain() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ISSUE);
        List<StateRef> refs = n.withPermit(vault, Collections.emptyList());
        Instruct told = n.instruct(vault, Kind.ISSUE, refs, 800, party(n.alice), n.draw(), 0);
        String transaction = n.pay(vault, told, refs);
        assertEquals(transaction, n.pay(vault, told, refs));
        n.run(n.alice, new MoveTokens(vault, 300, party(n.bank)));
        StateAndRef<LockState> burned = n.lock(vault, 200);
        assertEquals(200, burned.getState().getData().getAmount());
        n.refused("NO_FUNDS", n.alice, new MoveTokens(vault, 301, party(n.bank)));
        List<StateRef> back = n.withPermit(vault, Collections.singletonList(burned.getRef()));
        byte[] id = burned.getState().getData().getLockId();
        n.pay(vault, n.instruct(vault, Kind.REFUND, back, 200, party(n.alice), id, 0), back);
        n.run(n.alice, new MoveTokens(vault, 500, party(n.bank)));
    }

    @Test
    public void theAuthorityPausesAndRotatesAndEachIsDoneOnce() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ISSUE);
        for (int kind : new int[]{Kind.PAUSE, Kind.UNPAUSE}) {
            List<StateRef> refs = Collections.singletonList(n.view(vault).getRef());
            Instruct told = n.instruct(vault, kind, refs, 0, null, new byte[32], 0);
            String done = n.run(n.bank, new ExecuteInstruction(vault, told, refs));
            assertEquals(done, n.run(n.bank, new ExecuteInstruction(vault, told, refs)));
            assertEquals(kind == Kind.PAUSE, n.view(vault).getState().getControl().getPausedByAuthority());
        }
        List<StateRef> refs = Collections.singletonList(n.view(vault).getRef());
        byte[] next = new SigningKey("next").address();
        Instruct told = n.instruct(vault, Kind.ROTATE, refs, 0, null, Bytes.addressWord(next), 0);
        n.run(n.bank, new ExecuteInstruction(vault, told, refs));
        assertArrayEquals(next, n.view(vault).getState().getControl().getAuthority());
        assertEquals(2, n.view(vault).getState().getControl().getEpoch());
        List<StateRef> permit = n.withPermit(vault, Collections.emptyList());
        Instruct old = n.instruct(vault, Kind.ISSUE, permit, 1, party(n.alice), n.draw(), 0);
        n.refused("REFUSED: SIGNER", n.bank, n.paying(vault, old, permit));
    }

    @Test
    public void guardiansPauseProposeAndCancel() throws Exception {
        byte[] vault = n.vault(Kind.MODE_ISSUE);
        Guard pause = n.guard(vault, GuardianAction.PAUSE, NONE);
        n.run(n.bank, new GuardVault(vault, pause));
        assertTrue(n.view(vault).getState().getControl().getPausedByGuardian());
        n.refused("REFUSED: GUARDIANS", n.bank, new GuardVault(vault, pause));
        n.run(n.bank, new GuardVault(vault, n.guard(vault, GuardianAction.UNPAUSE, NONE)));
        assertFalse(n.view(vault).getState().getControl().getPausedByGuardian());
        byte[] next = new SigningKey("next").address();
        n.run(n.bank, new GuardVault(vault, n.guard(vault, GuardianAction.PROPOSE, next)));
        assertArrayEquals(next, n.view(vault).getState().getControl().getProposedAuthority());
        n.refused("TOO_EARLY", n.bank, new GuardVault(vault, new Guard(GuardianAction.COMPLETE, NONE, NONE)));
        n.run(n.bank, new GuardVault(vault, n.guard(vault, GuardianAction.CANCEL, NONE)));
        assertEquals(0, n.view(vault).getState().getControl().getProposedAuthority().length);
        n.refused("REFUSED: PROPOSAL", n.bank, new GuardVault(vault, new Guard(GuardianAction.COMPLETE, NONE, NONE)));
    }
}
