package drawbridge.corda.contract;

import net.corda.core.contracts.TimeWindow;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;

/** Guardians, two of three: pause at once, replace the authority after a delay. Anybody may submit what they signed. */
public class GuardTest extends LedgerTest {
    private static final byte[] NONE = new byte[0];
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final Signer[] g = s.guardians;
    private final byte[] next = new Signer("next").address();

    public GuardTest() throws Exception {
    }

    private VaultControl control() {
        return s.vaultState().getControl();
    }

    private Draft pause(Guard guard) {
        return s.guardDraft(guard, control().pausedByGuardian(true));
    }

    private void pauseNow() throws Exception {
        s.become(pause(s.guard(GuardianAction.PAUSE, NONE, g[0], g[2])));
    }

    @Test
    public void twoPauseAndTwoLift() throws Exception {
        pauseNow();
        s.ledger.refuses("PAUSED", s.lockDraft(s.issueCash(s.issuer, 1, 500, s.alice), 200));
        Guard lift = s.guard(GuardianAction.UNPAUSE, NONE, g[0], g[1]);
        s.become(s.guardDraft(lift, control().pausedByGuardian(false)));
        s.lock(200);
    }

    @Test
    public void notFewerNorStrangersNorOneTwice() throws Exception {
        s.ledger.refuses("GUARDIANS", pause(s.guard(GuardianAction.PAUSE, NONE, g[0])));
        s.ledger.refuses("GUARDIANS", pause(s.guard(GuardianAction.PAUSE, NONE, g[0], g[0])));
        s.ledger.refuses("GUARDIANS", pause(s.guard(GuardianAction.PAUSE, NONE, g[0], new Signer("stranger"))));
        s.ledger.refuses("GUARDIANS", pause(s.guard(GuardianAction.PAUSE, NONE)));
    }

    @Test
    public void notTwiceOverOneNonceNorForAnotherVault() throws Exception {
        Guard first = s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]);
        Guard foreign = new Scenario(Kind.MODE_ESCROW).guard(GuardianAction.PAUSE, NONE, g[0], g[1]);
        s.ledger.refuses("GUARDIANS", pause(foreign));
        s.become(pause(first));
        s.become(s.guardDraft(s.guard(GuardianAction.UNPAUSE, NONE, g[0], g[1]), control().pausedByGuardian(false)));
        s.ledger.refuses("GUARDIANS", pause(first));
    }

    @Test
    public void theAuthorityDoesNotLiftTheirPause() throws Exception {
        pauseNow();
        s.become(s.authorityDraft(Kind.UNPAUSE, "unpause", null));
        s.ledger.refuses("PAUSED", s.lockDraft(s.issueCash(s.issuer, 1, 500, s.alice), 200));
        Draft lifted = s.authorityDraft(Kind.UNPAUSE, "lift", null);
        Instruct i = (Instruct) lifted.commands.get(0).getValue();
        VaultControl c = control();
        VaultControl none = new VaultControl(c.getAuthority(), c.getEpoch(), c.getGuardianNonce(), i.getId(), false, false, 0,
                NONE);
        s.ledger.refuses("SHAPE", lifted.change(0, s.vaultState().under(none)));
    }

    private long notBefore() {
        return TestLedger.START + 120 + 1 + 3600;
    }

    private void propose() throws Exception {
        Guard guard = s.guard(GuardianAction.PROPOSE, next, g[1], g[2]);
        s.become(s.guardDraft(guard, control().proposed(next, notBefore())));
    }

    private Draft complete(TimeWindow window) {
        Draft draft = s.guardDraft(new Guard(GuardianAction.COMPLETE, NONE, NONE), control().completed());
        draft.timeWindow = window;
        return draft;
    }

    @Test
    public void anotherAuthorityAfterTheDelay() throws Exception {
        propose();
        s.ledger.refuses("TOO_EARLY", complete(TestLedger.window(notBefore() - 1, notBefore() + 60)));
        s.become(complete(TestLedger.window(notBefore(), notBefore() + 60)));
        s.ledger.refuses("SIGNER", s.authorityDraft(Kind.PAUSE, "pause", null));
        s.ledger.refuses("PROPOSAL", complete(TestLedger.window(notBefore(), notBefore() + 60)));
    }

    @Test
    public void theDelayIsNotShortened() throws Exception {
        Guard guard = s.guard(GuardianAction.PROPOSE, next, g[1], g[2]);
        s.ledger.refuses("SHAPE", s.guardDraft(guard, control().proposed(next, notBefore() - 1)));
    }

    @Test
    public void aRotationLetsTheProposalStandAndACancellationDoesNot() throws Exception {
        propose();
        s.become(s.authorityDraft(Kind.ROTATE, "rotate", new Signer("other")));
        Guard more = s.guard(GuardianAction.PROPOSE, new Signer("third").address(), g[0], g[1]);
        s.ledger.refuses("PROPOSAL", s.guardDraft(more, control()));
        Guard cancel = s.guard(GuardianAction.CANCEL, NONE, g[0], g[1]);
        s.become(s.guardDraft(cancel, control().cancelled()));
        s.ledger.refuses("PROPOSAL", complete(TestLedger.window(notBefore(), notBefore() + 60)));
    }

    @Test
    public void nothingElseOfTheVaultChanges() throws Exception {
        Guard guard = s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]);
        Draft taken = s.guardDraft(guard, control().pausedByGuardian(true).rotated(next, new byte[32]));
        s.ledger.refuses("SHAPE", taken);
        Draft unsigned = s.guardDraft(new Guard(9, NONE, NONE), control()).recommand(new Guard(9, NONE, NONE), key(s.bob));
        s.ledger.refuses("ACTION", unsigned);
    }
}
