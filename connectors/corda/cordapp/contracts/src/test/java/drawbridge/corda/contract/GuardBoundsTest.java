package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import org.junit.Test;

import java.util.Arrays;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;
import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

/** Guardians' actions at their bounds, and what they sign. */
public class GuardBoundsTest extends LedgerTest {
    private static final byte[] NONE = new byte[0];
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final Signer[] g = s.guardians;
    private final byte[] next = new Signer("next").address();

    public GuardBoundsTest() throws Exception {
    }

    private VaultControl control() {
        return s.vaultState().getControl();
    }

    private void refused(String code, Guard guard) throws Exception {
        s.ledger.refuses(code, s.guardDraft(guard, control()));
    }

    private Guard propose(byte[] authority) {
        byte[] padded = Arrays.copyOf(authority, 20);
        Guard signed = s.guard(GuardianAction.PROPOSE, padded, g[0], g[1]);
        return new Guard(GuardianAction.PROPOSE, authority, signed.getSignatures());
    }

    private void open() throws Exception {
        long notBefore = TestLedger.START + 120 + 1 + 3600;
        s.become(s.guardDraft(propose(next), control().proposed(next, notBefore)));
    }

    @Test
    public void fiveActions() throws Exception {
        for (int action : new int[]{-1, 0, 6, 9}) refused("ACTION", new Guard(action, NONE, NONE));
        TestLedger.refusedAs("ACTION", () -> GuardianAction.digest(s.vaultState(), GuardianAction.COMPLETE, NONE));
    }

    @Test
    public void anAuthorityGoesWithAProposalOnly() throws Exception {
        refused("AUTHORITY", propose(NONE));
        refused("AUTHORITY", propose(new byte[19]));
        byte[] signatures = s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]).getSignatures();
        refused("AUTHORITY", new Guard(GuardianAction.PAUSE, next, signatures));
    }

    @Test
    public void theProposedIsAnother() throws Exception {
        refused("AUTHORITY", propose(new byte[20]));
        refused("AUTHORITY", propose(control().getAuthority()));
    }

    @Test
    public void aCancellationNeedsAProposal() throws Exception {
        refused("PROPOSAL", s.guard(GuardianAction.CANCEL, NONE, g[0], g[1]));
        open();
        refused("PROPOSAL", propose(new Signer("third").address()));
    }

    @Test
    public void aCompletionCarriesNothingAndWaits() throws Exception {
        open();
        byte[] signatures = s.guard(GuardianAction.CANCEL, NONE, g[0], g[1]).getSignatures();
        refused("GUARDIANS", new Guard(GuardianAction.COMPLETE, NONE, signatures));
        refused("TOO_EARLY", new Guard(GuardianAction.COMPLETE, NONE, NONE));
    }

    @Test
    public void signaturesAreWholeAndOfThatAction() throws Exception {
        byte[] signatures = s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]).getSignatures();
        refused("GUARDIANS", new Guard(GuardianAction.PAUSE, NONE, Arrays.copyOf(signatures, 131)));
        refused("GUARDIANS", new Guard(GuardianAction.PAUSE, NONE, Arrays.copyOf(signatures, 129)));
        refused("GUARDIANS", new Guard(GuardianAction.UNPAUSE, NONE, signatures));
        byte[] high = signatures.clone();
        System.arraycopy(Signer.withHighS(Arrays.copyOf(signatures, 65)), 0, high, 0, 65);
        refused("SIGNATURE_HIGH_S", new Guard(GuardianAction.PAUSE, NONE, high));
    }

    @Test
    public void allThreeMaySign() throws Exception {
        Guard all = s.guard(GuardianAction.PAUSE, NONE, g[2], g[1], g[0]);
        s.become(s.guardDraft(all, control().pausedByGuardian(true)));
    }

    @Test
    public void theVaultAloneIsConsumedAndMade() throws Exception {
        Guard guard = s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]);
        Draft more = s.guardDraft(guard, control().pausedByGuardian(true));
        s.ledger.rulesRefuse("SHAPE", s.own(more, PermitState.first(0, s.vaultId(), party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", s.guardDraft(guard, control().pausedByGuardian(true)).input(s.permit(0)));
        StateAndRef<?> permit = s.permit(0);
        Draft other = s.own(s.ledger.draft().input(permit), s.vaultState().under(control().pausedByGuardian(true)));
        s.ledger.rulesRefuse("SHAPE", other.command(guard, key(s.bob)));
        Draft authority = s.authorityDraft(Kind.PAUSE, "pause", null);
        s.ledger.rulesRefuse("SHAPE", s.coin(authority, 1));
        Draft none = s.authorityDraft(Kind.PAUSE, "pause", null);
        none.inputs.clear();
        s.ledger.rulesRefuse("SHAPE", none);
    }

    @Test
    public void aRotationIsToSomebody() throws Exception {
        for (byte[] subject : new byte[][]{new byte[32], Scenario.word("no address")}) {
            Draft draft = s.ledger.draft().input(s.vault);
            Instruct i = s.instruct(draft, Kind.ROTATE, "rotate", 0, null, subject);
            s.ledger.refuses("SUBJECT", s.own(draft, s.vaultState()).command(i, key(s.vaultParty)));
        }
    }

    @Test
    public void asManyAsThereMayBe() {
        Signer[] all = new Signer[VaultTerms.MAX_GUARDIANS];
        byte[] addresses = new byte[20 * all.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = new Signer("guardian of many " + i);
            System.arraycopy(all[i].address(), 0, addresses, 20 * i, 20);
        }
        VaultTerms t = s.vaultState().getTerms();
        VaultTerms many = new VaultTerms(t.getAsset(), t.getCapWindowSeconds(), t.getCashConstraint(), t.getCurrency(),
                t.getGenesisHash(), 1, all.length, addresses, t.getIssuerKey(), t.getIssuerReference(), t.getMode(),
                t.getNetworkIdHash(), t.getPermitCap(), t.getPermits(), t.getServiceId());
        VaultState vault = new VaultState(control(), many, s.vaultId(), party(s.vaultParty));
        byte[] digest = GuardianAction.digest(vault, GuardianAction.PAUSE, NONE);
        byte[] signatures = new byte[65 * all.length];
        for (int i = 0; i < all.length; i++) System.arraycopy(all[i].sign(digest), 0, signatures, 65 * i, 65);
        Guard guard = new Guard(GuardianAction.PAUSE, NONE, signatures);
        assertEquals(control().pausedByGuardian(true), GuardianAction.after(vault, guard, TestLedger.WINDOW));
        Guard fewer = new Guard(GuardianAction.PAUSE, NONE, Arrays.copyOf(signatures, signatures.length - 65));
        TestLedger.refusedAs("GUARDIANS", () -> GuardianAction.after(vault, fewer, TestLedger.WINDOW));
    }

    private byte[] typed(String type, byte[]... words) {
        byte[][] parts = new byte[words.length + 1][];
        parts[0] = Bytes.keccak256(Bytes.utf8(type));
        System.arraycopy(words, 0, parts, 1, words.length);
        VaultTerms terms = s.vaultState().getTerms();
        byte[] domain = Bytes.keccak256(Bytes.keccak256(Bytes.utf8("EIP712Domain(string name,string version,bytes32 salt)")),
                Bytes.keccak256(Bytes.utf8("Drawbridge")), Bytes.keccak256(Bytes.utf8("1")),
                Bytes.keccak256(terms.getServiceId(), terms.getNetworkIdHash(), terms.getGenesisHash(), Bytes.keccak256(s.vaultId())));
        return Bytes.keccak256(new byte[]{0x19, 1}, domain, Bytes.keccak256(parts));
    }

    /** The same types as the EVM vault's, under the present nonce. */
    @Test
    public void whatIsSignedIsTypedData() throws Exception {
        for (int nonce = 0; nonce < 2; nonce++) {
            byte[] word = Bytes.word(nonce);
            assertArrayEquals(typed("GuardianPause(uint64 nonce)", word),
                    GuardianAction.digest(s.vaultState(), GuardianAction.PAUSE, NONE));
            assertArrayEquals(typed("GuardianUnpause(uint64 nonce)", word),
                    GuardianAction.digest(s.vaultState(), GuardianAction.UNPAUSE, NONE));
            assertArrayEquals(typed("GuardianReplaceAuthority(address authority,uint64 nonce)", Bytes.addressWord(next), word),
                    GuardianAction.digest(s.vaultState(), GuardianAction.PROPOSE, next));
            assertArrayEquals(typed("GuardianCancel(uint64 nonce)", word),
                    GuardianAction.digest(s.vaultState(), GuardianAction.CANCEL, NONE));
            if (nonce == 0) s.become(s.guardDraft(s.guard(GuardianAction.PAUSE, NONE, g[0], g[1]), control().pausedByGuardian(true)));
        }
    }

    @Test
    public void aProposalIsDueADelayAfterTheWindow() throws Exception {
        TimeWindow window = TestLedger.window(1_000, 1_100);
        VaultControl after = GuardianAction.after(s.vaultState(), propose(next), window);
        assertArrayEquals(next, after.getProposedAuthority());
        assertEquals(1_100 + 1 + 3_600, after.getProposalNotBefore());
    }
}
