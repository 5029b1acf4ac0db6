package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TransactionState;
import net.corda.core.transactions.WireTransaction;
import net.corda.finance.contracts.asset.Cash;
import org.junit.Test;

import java.util.List;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** What a lock is made of and nothing else: by the vault's rules alone, whatever Corda or the cash's contract would say. */
public class LockShapeTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final StateAndRef<?> cash = s.issueCash(s.issuer, 1, 500, s.alice);

    public LockShapeTest() throws Exception {
    }

    private Draft lock() {
        return s.lockDraft(cash, 200);
    }

    /** The draft's record, saying another amount. */
    private Draft saying(Draft draft, long amount) {
        return draft.change(2, LockState.of(s.vaultState(), amount, party(s.alice), Scenario.REFERENCE,
                VaultNames.inputsHash(draft.inputRefs())));
    }

    @Test
    public void aLockIsOfSomething() throws Exception {
        Draft nothing = lock().change(0, s.cashState(s.issuer, 1, 0, party(s.vaultParty)))
                .change(1, new CoinState(0, s.vaultId(), party(s.vaultParty)));
        s.ledger.rulesRefuse("AMOUNT", saying(nothing, 0));
        s.ledger.rulesRefuse("AMOUNT", saying(lock(), -200));
    }

    @Test
    public void aLockConsumesSomething() throws Exception {
        Draft draft = lock();
        draft.inputs.clear();
        s.ledger.rulesRefuse("SHAPE", saying(draft, 200));
    }

    @Test
    public void theThirdOutputIsTheRecord() throws Exception {
        s.ledger.rulesRefuse("SHAPE", lock().change(2, PermitState.first(0, s.vaultId(), party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", lock().encumber(2, 0));
    }

    @Test
    public void theFirstOutputIsCashOfTheFinanceContract() throws Exception {
        LookAlikeContract.Guard other = new LookAlikeContract.Guard(200, s.vaultId(), party(s.vaultParty));
        s.ledger.rulesRefuse("NOT_CASH", lock().replace(0,
                new TransactionState<>(other, LookAlikeContract.ID, s.ledger.notaryParty(), 1, s.ledger.cashJar)));
        Cash.State held = (Cash.State) lock().outputs.get(0).getData();
        s.ledger.rulesRefuse("CASH_CONTRACT", lock().replace(0,
                new TransactionState<>(held, LookAlikeContract.ID, s.ledger.notaryParty(), 1, s.ledger.cashJar)));
        s.ledger.rulesRefuse("CASH_CONTRACT", lock().constrain(0, s.ledger.vaultJar));
    }

    @Test
    public void cashAndGuardEncumberEachOther() throws Exception {
        s.ledger.rulesRefuse("ENCUMBRANCE", lock().encumber(0, null));
        s.ledger.rulesRefuse("ENCUMBRANCE", lock().encumber(1, null));
        s.ledger.rulesRefuse("ENCUMBRANCE", lock().encumber(0, 2));
        s.ledger.rulesRefuse("ENCUMBRANCE", lock().encumber(1, 2));
    }

    @Test
    public void theGuardIsOfThisCashAndVault() throws Exception {
        s.ledger.rulesRefuse("SHAPE", lock().change(1, new CoinState(199, s.vaultId(), party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", lock().change(1, new CoinState(200, Scenario.word("another"), party(s.vaultParty))));
        s.ledger.rulesRefuse("SHAPE", lock().change(1, new CoinState(200, s.vaultId(), party(s.alice))));
    }

    @Test
    public void theOwnersChangeIsFree() throws Exception {
        s.ledger.rulesTake(lock());
        s.ledger.rulesRefuse("SHAPE", lock().encumber(3, 2));
        s.ledger.rulesRefuse("SHAPE", s.own(lock(), PermitState.first(0, s.vaultId(), party(s.vaultParty))));
    }

    @Test
    public void everyFieldOfTheRecordFollows() throws Exception {
        LockState r = (LockState) lock().outputs.get(2).getData();
        byte[] other = Scenario.word("other");
        LockState[] wrong = {
            new LockState(200, "EUR", r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(), r.getLockId(), r.getReference(),
                r.getVaultId(), r.getVaultParty()),
            new LockState(200, "GBP", r.getDepositor(), other, r.getIssuerReference(), r.getLockId(), r.getReference(),
                r.getVaultId(), r.getVaultParty()),
            new LockState(200, "GBP", r.getDepositor(), r.getIssuerKey(), other, r.getLockId(), r.getReference(),
                r.getVaultId(), r.getVaultParty()),
            new LockState(200, "GBP", r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(), r.getLockId(), other,
                r.getVaultId(), r.getVaultParty()),
            new LockState(200, "GBP", r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(), r.getLockId(),
                r.getReference(), other, r.getVaultParty()),
            new LockState(200, "GBP", r.getDepositor(), r.getIssuerKey(), r.getIssuerReference(), r.getLockId(),
                r.getReference(), r.getVaultId(), party(s.alice))};
        for (LockState record : wrong) s.ledger.rulesRefuse("SHAPE", lock().change(2, record));
    }

    /** A record out of nothing would be a claim on the vault. */
    @Test
    public void tokensAreBurnedAndNothingElse() throws Exception {
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        Draft bare = issues.ledger.draft().reference(issues.vault);
        record(issues, bare, 500);
        issues.ledger.refuses("SHAPE", bare.command(new VaultCommands.Lock(), key(issues.vaultParty), key(issues.bob)));
        WireTransaction made = issues.ledger.commit(issues.releaseDraft("issue", 500, issues.permit(0)));
        StateAndRef<?> seed = issues.ledger.commit(issues.seedDraft()).outRef(0);
        Draft taking = issues.ledger.draft().input(made.outRef(1), seed).reference(issues.vault);
        record(issues, taking, 500);
        issues.ledger.refuses("SHAPE", taking.command(new VaultCommands.Lock(), key(issues.vaultParty), key(issues.bob)));
        Draft making = issues.ledger.draft().input(made.outRef(1)).reference(issues.vault);
        record(issues, making, 500);
        issues.own(making, new SeedState(party(issues.vaultParty)));
        issues.ledger.refuses("SHAPE", making.command(new VaultCommands.Lock(), key(issues.vaultParty), key(issues.bob)));
    }

    /** In escrow the cash says the same; tokens are another contract's. */
    @Test
    public void aBurnIsOfSomething() throws Exception {
        Scenario issues = new Scenario(Kind.MODE_ISSUE);
        WireTransaction made = issues.ledger.commit(issues.releaseDraft("issue", 500, issues.permit(0)));
        for (long amount : new long[]{0, -1}) {
            Draft draft = issues.ledger.draft().input(made.outRef(1)).reference(issues.vault);
            record(issues, draft, amount);
            issues.own(draft, new TokenState(500, "GBP", party(issues.bob), issues.vaultId()));
            draft.command(new VaultCommands.Lock(), key(issues.vaultParty), key(issues.bob));
            issues.ledger.rulesRefuse("AMOUNT", draft);
        }
    }

    private static void record(Scenario issues, Draft draft, long amount) {
        List<StateRef> refs = draft.inputRefs();
        issues.own(draft, LockState.of(issues.vaultState(), amount, party(issues.bob), Scenario.REFERENCE,
                VaultNames.inputsHash(refs)));
    }
}
