package drawbridge.corda.flow;

import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.GuardianAction;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;
import org.junit.Before;
import org.junit.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

import static drawbridge.corda.flow.FlowNetwork.coin;
import static drawbridge.corda.flow.FlowNetwork.party;
import static org.junit.Assert.assertEquals;

/** What flows refuse, whoever starts them. */
public class RefusalsTest {
    private static final byte[] NONE = new byte[0];
    private static byte[] vault;
    private static StateAndRef<LockState> lock;
    private final FlowNetwork n = FlowNetwork.shared();

    /** One vault for all of them: nothing happens to it. */
    @Before
    public void oneVault() throws Exception {
        if (lock != null) return;
        vault = n.vault(Kind.MODE_ESCROW);
        n.issueCash(n.alice, 1_000);
        lock = n.lock(vault, 500);
    }

    private List<StateRef> refs() throws Exception {
        return n.withPermit(vault, coin(lock));
    }

    /** Whoever is not the vault's party has no such vault, though Alice's node has its state since she locked. */
    @Test
    public void aVaultObeysItsOwnPartysNodeOnly() throws Exception {
        Instruct told = n.release(vault, refs(), 200);
        n.refused("VAULT_UNKNOWN", n.alice, n.paying(vault, told, refs()));
        n.refused("VAULT_UNKNOWN", n.alice, new GuardVault(vault, n.guard(vault, GuardianAction.PAUSE, NONE)));
        n.refused("VAULT_UNKNOWN", n.alice, new DescribeVault(vault));
        n.refused("VAULT_UNKNOWN", n.alice, new LockValue(party(n.alice), vault, n.draw(), 1));
        n.refused("VAULT_UNKNOWN", n.bank, new DescribeVault(n.draw()));
        assertEquals(Collections.singletonList(500L), n.view(vault).getCoinAmounts());
    }

    @Test
    public void aPaymentHasAPayeeAndNothingElseHas() throws Exception {
        Instruct told = n.release(vault, refs(), 200);
        n.refused("PAYEE", n.bank, new ExecuteInstruction(vault, told, refs()));
        Instruct voiding = n.instruct(vault, Kind.VOID, refs(), 0, null, n.draw(), 0);
        n.refused("PAYEE", n.bank, n.paying(vault, voiding, refs()));
        n.refused("REFUSED: BENEFICIARY", n.bank, new ExecuteInstruction(vault, told, refs(), n.notary()));
    }

    @Test
    public void whatIsConsumedIsKnownAndHasAPermitAndACoin() throws Exception {
        List<StateRef> unknown = new ArrayList<>(refs());
        unknown.add(new StateRef(SecureHash.randomSHA256(), 0));
        n.refused("INPUT_UNKNOWN", n.bank, n.paying(vault, n.release(vault, unknown, 200), unknown));
        n.refused("INPUTS:", n.bank, n.paying(vault, n.release(vault, coin(lock), 200), coin(lock)));
        List<StateRef> permit = n.withPermit(vault, Collections.emptyList());
        n.refused("INPUTS:", n.bank, n.paying(vault, n.release(vault, permit, 200), permit));
    }

    @Test
    public void nothingHappensAfterItsTimeOrAgainstTheRules() throws Exception {
        for (int kind : new int[]{Kind.RELEASE, Kind.PAUSE}) {
            List<StateRef> refs = kind == Kind.PAUSE ? Collections.singletonList(n.view(vault).getRef()) : refs();
            Instruct late = n.instruct(vault, kind, refs, kind == Kind.PAUSE ? 0 : 1,
                    kind == Kind.PAUSE ? null : party(n.alice), n.draw(), 1);
            n.refused("EXPIRED", n.bank, kind == Kind.PAUSE ? new ExecuteInstruction(vault, late, refs) : n.paying(vault, late, refs));
        }
        Instruct told = n.release(vault, refs(), 200);
        n.refused("REFUSED: SIGNATURE_MALFORMED", n.bank, n.paying(vault, told.signedBy(new byte[65]), refs()));
        Instruct other = n.release(vault, refs(), 201);
        n.refused("REFUSED: SIGNER", n.bank, n.paying(vault, told.signedBy(other.getSignature()), refs()));
        // By this contract or the cash's own, whichever Corda asks first.
        n.refused("REFUSED: ", n.bank, n.paying(vault, n.release(vault, refs(), 501), refs()));
        n.refused("REFUSED: CAP", n.bank, n.paying(vault, n.release(vault, refs(), 1_000_001), refs()));
        n.refused("REFUSED: GUARDIANS", n.bank, new GuardVault(vault, new Guard(GuardianAction.PAUSE, NONE, NONE)));
    }

    @Test
    public void nobodySpendsWhatItDoesNotHave() throws Exception {
        n.refused("NO_FUNDS", n.alice, new LockValue(party(n.bank), vault, n.draw(), 999_999_999L));
        n.refused("NO_FUNDS", n.alice, new MoveTokens(vault, 1, party(n.bank)));
        n.refused("AMOUNT", n.alice, new MoveTokens(vault, 0, party(n.bank)));
        n.refused("REFUSED: REFERENCE_LENGTH", n.alice, new LockValue(party(n.bank), vault, Arrays.copyOf(n.draw(), 31), 1));
    }
}
