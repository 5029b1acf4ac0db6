package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.HashAttachmentConstraint;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.contracts.TransactionState;
import net.corda.core.crypto.SecureHash;
import net.corda.core.identity.Party;
import org.junit.Test;

import java.time.Instant;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** What holds for every transaction of a vault, whatever its command: by the vault's rules alone. */
public class FrameTest extends LedgerTest {
    private static final Party OTHER_NOTARY = TestLedger.OTHER_NOTARY.getParty();
    private static final AttachmentConstraint OTHER_JAR = new HashAttachmentConstraint(SecureHash.sha256("another jar"));
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);

    public FrameTest() throws Exception {
    }

    private static TransactionState<ContractState> state(ContractState data, String contract, Party notary,
                                                         AttachmentConstraint constraint) {
        return new TransactionState<>(data, contract, notary, null, constraint);
    }

    private Draft lock() throws Exception {
        return s.lockDraft(s.issueCash(s.issuer, 1, 500, s.alice), 200);
    }

    private Draft seedAt(TimeWindow window) {
        Draft draft = s.seedDraft();
        draft.timeWindow = window;
        return draft;
    }

    @Test
    public void theTimeWindowHasBothEndsAndTenMinutes() throws Exception {
        Instant now = Instant.ofEpochSecond(TestLedger.START);
        s.ledger.rulesTake(seedAt(TimeWindow.between(now, now.plusSeconds(600))));
        s.ledger.rulesRefuse("TIME_WINDOW", seedAt(TimeWindow.between(now, now.plusSeconds(600).plusNanos(1))));
        s.ledger.rulesRefuse("TIME_WINDOW", seedAt(TimeWindow.fromOnly(now)));
        s.ledger.rulesRefuse("TIME_WINDOW", seedAt(TimeWindow.untilOnly(now)));
        s.ledger.rulesRefuse("TIME_WINDOW", seedAt(null));
    }

    @Test
    public void everyStateIsUnderTheNotary() throws Exception {
        SeedState seed = new SeedState(party(s.vaultParty));
        Draft draft = s.seedDraft().replace(0, state(seed, VaultContract.ID, OTHER_NOTARY, s.ledger.vaultJar));
        s.ledger.rulesRefuse("NOTARY", draft);
        Draft made = s.ledger.draft().command(new VaultCommands.Seed(), key(s.vaultParty));
        made.outputs.add(state(s.vaultState(), VaultContract.ID, OTHER_NOTARY, s.ledger.vaultJar));
        StateAndRef<?> elsewhere = s.ledger.forge(made).outRef(0);
        Draft referring = lock();
        referring.references.clear();
        s.ledger.rulesRefuse("NOTARY", referring.reference(elsewhere));
        s.ledger.rulesRefuse("NOTARY", s.ledger.draft().input(elsewhere).command(new Guard(1, new byte[0], new byte[0]), key(s.bob)));
    }

    @Test
    public void everyStateOfOursIsUnderOneJar() throws Exception {
        s.ledger.rulesRefuse("CONSTRAINT", lock().constrain(2, OTHER_JAR));
        s.ledger.rulesRefuse("CONSTRAINT", lock().constrain(1, AlwaysAcceptAttachmentConstraint.INSTANCE));
        Draft made = s.ledger.draft().command(new VaultCommands.Seed(), key(s.vaultParty));
        made.outputs.add(state(s.vaultState(), VaultContract.ID, s.ledger.notaryParty(), OTHER_JAR));
        StateAndRef<?> other = s.ledger.forge(made).outRef(0);
        Draft referring = lock();
        referring.references.clear();
        s.ledger.rulesRefuse("CONSTRAINT", referring.reference(other));
        Draft consuming = s.own(s.ledger.draft().input(other), s.vaultState());
        s.ledger.rulesRefuse("CONSTRAINT", consuming.command(new Guard(1, new byte[0], new byte[0]), key(s.bob)));
    }

    @Test
    public void onlyOurClassesAreUnderOurContracts() throws Exception {
        Draft draft = s.own(lock(), new LookAlikeContract.Stowaway(party(s.alice)));
        s.ledger.refuses("CONTRACT", draft);
        LookAlikeContract.Guard guard = new LookAlikeContract.Guard(200, s.vaultId(), party(s.vaultParty));
        Draft tokens = lock().output(guard, TokenContract.ID, s.ledger.vaultJar, null);
        s.ledger.rulesRefuse("CONTRACT", tokens);
    }

    @Test
    public void ourClassesAreUnderTheContractThatIsTheirs() throws Exception {
        ContractState record = lock().outputs.get(2).getData();
        for (String contract : new String[]{LookAlikeContract.ID, TokenContract.ID}) {
            s.ledger.rulesRefuse("CONTRACT", lock().replace(2, state(record, contract, s.ledger.notaryParty(), s.ledger.vaultJar)));
        }
        TokenState token = new TokenState(1, "GBP", party(s.alice), s.vaultId());
        for (String contract : new String[]{LookAlikeContract.ID, VaultContract.ID}) {
            s.ledger.rulesRefuse("CONTRACT", lock().output(token, contract, s.ledger.vaultJar, null));
        }
        SeedState seed = new SeedState(party(s.alice));
        s.ledger.rulesRefuse("CONTRACT", lock().output(seed, LookAlikeContract.ID, s.ledger.vaultJar, null));
    }

    @Test
    public void oneCommandOfTheVault() throws Exception {
        Draft none = lock();
        none.commands.removeIf(command -> command.getValue() instanceof VaultCommands.Lock);
        s.ledger.rulesRefuse("COMMAND", none);
        s.ledger.rulesRefuse("COMMAND", lock().command(new VaultCommands.Seed(), key(s.vaultParty)));
    }

    @Test
    public void locksAndPaymentsReferToTheVaultAndNothingElse() throws Exception {
        Draft permit = lock();
        permit.references.clear();
        s.ledger.rulesRefuse("REFERENCE", permit.reference(s.permit(0)));
        s.ledger.rulesRefuse("REFERENCE", lock().reference(s.permit(0)));
    }

    @Test
    public void allElseRefersToNothing() throws Exception {
        s.ledger.rulesRefuse("REFERENCE", s.seedDraft().reference(s.vault));
        StateAndRef<?> seed = s.ledger.commit(s.seedDraft()).outRef(0);
        s.ledger.rulesRefuse("REFERENCE", s.creationDraft(seed, s.vaultState().getTerms()).reference(s.vault));
        s.ledger.rulesRefuse("REFERENCE", s.authorityDraft(Kind.PAUSE, "pause", null).reference(s.permit(0)));
        Guard guard = s.guard(GuardianAction.PAUSE, new byte[0], s.guardians[0], s.guardians[1]);
        VaultControl after = s.vaultState().getControl().pausedByGuardian(true);
        s.ledger.rulesRefuse("REFERENCE", s.guardDraft(guard, after).reference(s.permit(0)));
    }

    @Test
    public void whatIsMissingIsSaid() throws Exception {
        Draft draft = lock();
        while (draft.outputs.size() > 2) draft.outputs.remove(2);
        s.ledger.rulesRefuse("SHAPE", draft);
    }
}
