package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.transactions.WireTransaction;
import org.junit.Test;

import java.time.Instant;
import java.util.Arrays;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.word;

/** Fields of an instruction, each at its bounds; the authority has signed all of them. */
public class AcceptanceTest extends LedgerTest {
    private static final byte[] SHORT = new byte[31];
    private static final long MAX_EPOCH = 0xffffffffL;
    private static final long UNTIL = TestLedger.START + 120;
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final WireTransaction lock = s.lock(500);
    private final StateAndRef<?>[] coin = {lock.outRef(0), lock.outRef(1)};

    public AcceptanceTest() throws Exception {
    }

    private Draft release() {
        return s.releaseDraft("release", 500, s.permit(0), coin);
    }

    /** An instruction with some of its fields changed. */
    private static final class Fields {
        byte[] id;
        int kind;
        byte[] subject;
        byte[] asset;
        long amount;
        byte[] beneficiary;
        byte[] inputs;
        long notAfter;
        long epoch;
        byte[] trail;

        Fields(Instruct i) {
            id = i.getId();
            kind = i.getKind();
            subject = i.getSubject();
            asset = i.getAsset();
            amount = i.getAmount();
            beneficiary = i.getBeneficiary();
            inputs = i.getInputs();
            notAfter = i.getNotAfter();
            epoch = i.getEpoch();
            trail = i.getTrail();
        }

        Instruct unsigned() {
            return new Instruct(id, kind, subject, asset, amount, beneficiary, inputs, notAfter, epoch, trail, new byte[65]);
        }
    }

    private interface Change {
        void apply(Fields fields);
    }

    private Draft with(Draft draft, Change change) {
        Instruct told = draft.commands.stream().map(command -> command.getValue()).filter(Instruct.class::isInstance)
                .map(Instruct.class::cast).findFirst().orElseThrow(IllegalStateException::new);
        Fields fields = new Fields(told);
        change.apply(fields);
        return draft.recommand(s.sign(fields.unsigned()), key(s.vaultParty));
    }

    private void refused(String code, Change change) throws Exception {
        s.ledger.refuses(code, with(release(), change));
    }

    @Test
    public void wordsHaveTheirLength() throws Exception {
        refused("FIELD", i -> i.id = SHORT);
        refused("FIELD", i -> i.subject = new byte[33]);
        refused("FIELD", i -> i.asset = SHORT);
        refused("FIELD", i -> i.beneficiary = SHORT);
        refused("FIELD", i -> i.inputs = SHORT);
    }

    @Test
    public void numbersAreInRange() throws Exception {
        refused("FIELD", i -> i.amount = -1);
        refused("FIELD", i -> i.notAfter = -1);
        refused("FIELD", i -> i.epoch = -1);
        refused("FIELD", i -> i.epoch = MAX_EPOCH + 1);
        refused("EPOCH", i -> i.epoch = MAX_EPOCH);
        refused("EPOCH", i -> i.epoch = 0);
    }

    @Test
    public void kindsAreThoseOfTheMode() throws Exception {
        refused("KIND", i -> i.kind = Kind.ISSUE);
        s.ledger.refuses("KIND", with(s.authorityDraft(Kind.PAUSE, "pause", null), i -> i.kind = 0));
        s.ledger.refuses("KIND", with(s.authorityDraft(Kind.PAUSE, "pause", null), i -> i.kind = 8));
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        Draft release = issues.releaseDraft("release", 500, issues.permit(0));
        Instruct told = (Instruct) release.commands.get(0).getValue();
        Fields fields = new Fields(told);
        fields.kind = Kind.RELEASE;
        issues.ledger.refuses("KIND", release.recommand(issues.sign(fields.unsigned()), key(issues.vaultParty)));
    }

    private Draft until(Instant until, long notAfter) {
        Draft draft = with(release(), i -> i.notAfter = notAfter);
        draft.timeWindow = TimeWindow.between(until.minusSeconds(30), until);
        return draft;
    }

    @Test
    public void theWholeTimeWindowIsBeforeTheEnd() throws Exception {
        Instant until = Instant.ofEpochSecond(UNTIL);
        s.ledger.refuses("EXPIRED", until(until, UNTIL - 1));
        s.ledger.refuses("EXPIRED", until(until.plusNanos(1), UNTIL));
        s.ledger.rulesTake(until(until.minusNanos(1), UNTIL));
        s.ledger.rulesTake(until(until, UNTIL));
        s.ledger.rulesTake(until(until, UNTIL + 1));
    }

    @Test
    public void aPauseMayExpireAndARotationMayNot() throws Exception {
        s.ledger.rulesTake(with(s.authorityDraft(Kind.PAUSE, "pause", null), i -> i.notAfter = UNTIL));
        Draft rotation = s.authorityDraft(Kind.ROTATE, "rotate", new Signer("next"));
        s.ledger.refuses("EXPIRY", with(rotation, i -> i.notAfter = UNTIL));
        Draft late = with(s.authorityDraft(Kind.UNPAUSE, "unpause", null), i -> i.notAfter = UNTIL - 1);
        s.ledger.refuses("EXPIRED", late);
    }

    @Test
    public void theTrailHasABound() throws Exception {
        s.ledger.rulesTake(with(release(), i -> i.trail = new byte[Acceptance.MAX_TRAIL_BYTES]));
        refused("TRAIL", i -> i.trail = new byte[Acceptance.MAX_TRAIL_BYTES + 1]);
    }

    @Test
    public void idsAreSomebodys() throws Exception {
        refused("ID", i -> i.id = new byte[32]);
        refused("ASSET", i -> i.asset = word("EUR"));
        refused("INPUTS", i -> i.inputs = word("other states"));
    }

    /** What the authority signed is what is done: no field can be another after the signature. */
    @Test
    public void everyFieldIsSigned() throws Exception {
        Change[] changes = {i -> i.id = word("other"), i -> i.subject = word("other"), i -> i.amount = 400,
            i -> i.notAfter = UNTIL, i -> i.trail = new byte[1], i -> i.beneficiary = VaultNames.accountWord(key(s.alice))};
        Instruct told = (Instruct) release().commands.get(0).getValue();
        for (Change change : changes) {
            Fields fields = new Fields(told);
            change.apply(fields);
            Instruct altered = fields.unsigned().signedBy(told.getSignature());
            s.ledger.refuses("SIGNER", release().recommand(altered, key(s.vaultParty)));
        }
    }

    @Test
    public void theOrderOfInputsMakesNoDifference() throws Exception {
        Draft draft = release();
        StateAndRef<?>[] inputs = draft.inputs.toArray(new StateAndRef<?>[0]);
        draft.inputs.clear();
        draft.inputs.addAll(Arrays.asList(inputs[2], inputs[1], inputs[0]));
        s.ledger.rulesTake(draft);
    }
}
