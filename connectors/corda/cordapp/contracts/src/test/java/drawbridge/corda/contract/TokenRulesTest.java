package drawbridge.corda.contract;

import net.corda.core.contracts.AlwaysAcceptAttachmentConstraint;
import net.corda.core.contracts.CommandAndState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.transactions.WireTransaction;
import org.junit.Test;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

/** What the token's own contract sees to, without the vault's. */
public class TokenRulesTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ISSUE);
    private final WireTransaction made = s.ledger.commit(s.releaseDraft("issue", 500, s.permit(0)));
    private final StateAndRef<?> held = made.outRef(1);

    public TokenRulesTest() throws Exception {
    }

    private TokenState token(long amount, String currency, byte[] vaultId) {
        return new TokenState(amount, currency, party(s.bob), vaultId);
    }

    private Draft move(TokenState... outputs) {
        Draft draft = s.ledger.draft().input(held);
        for (TokenState output : outputs) s.own(draft, output);
        return draft.command(new VaultCommands.Move(), key(s.bob));
    }

    @Test
    public void oneVaultOneCurrencyAndSomething() throws Exception {
        s.ledger.refuses("TOKEN", move(token(500, "EUR", s.vaultId())));
        s.ledger.refuses("TOKEN", move(token(500, "GBP", Scenario.word("another"))));
        s.ledger.refuses("TOKEN", move(token(500, "GBP", s.vaultId()), token(0, "GBP", s.vaultId())));
        s.ledger.rulesRefuse(new TokenContract(), "TOKEN", move(token(-1, "GBP", s.vaultId()), token(501, "GBP", s.vaultId())));
    }

    @Test
    public void nothingElseThanAPermitMakesThem() throws Exception {
        Draft draft = s.own(s.ledger.draft().input(s.ledger.commit(s.seedDraft()).outRef(0)), token(500, "GBP", s.vaultId()));
        draft.reference(s.vault);
        Instruct told = s.instruct(draft, Kind.ISSUE, "more", 500, party(s.bob), Scenario.word("subject"));
        s.ledger.rulesRefuse(new TokenContract(), "PERMIT", draft.command(told, key(s.vaultParty)));
    }

    /** Nothing burned is no burn, and then nobody asks the vault. */
    @Test
    public void aLockBurnsSomethingOfItsVault() throws Exception {
        Draft nothing = s.own(s.ledger.draft().input(held), token(500, "GBP", s.vaultId()));
        s.ledger.refuses("CONSERVATION", nothing.command(new VaultCommands.Lock(), key(s.bob)));
        Draft foreign = s.ledger.draft().input(held).command(new VaultCommands.Lock(), key(s.bob));
        LockState of = LockState.of(s.vaultState(), 500, party(s.bob), Scenario.REFERENCE, new byte[32]);
        s.own(foreign, new LockState(500, "GBP", of.getDepositor(), of.getIssuerKey(), of.getIssuerReference(), of.getLockId(),
                of.getReference(), Scenario.word("another"), of.getVaultParty()));
        s.ledger.rulesRefuse(new TokenContract(), "CONSERVATION", foreign);
    }

    /** Tokens that any jar may have made. */
    @Test
    public void notTokensUnderLooserCode() throws Exception {
        AlwaysAcceptAttachmentConstraint any = AlwaysAcceptAttachmentConstraint.INSTANCE;
        Draft making = s.own(s.ledger.draft(), token(500, "GBP", s.vaultId())).constrain(0, any);
        StateAndRef<?> loose = s.ledger.forge(making.command(new VaultCommands.Move(), key(s.bob))).outRef(0);
        Draft burn = s.ledger.draft().input(loose).reference(s.vault);
        s.own(burn, LockState.of(s.vaultState(), 500, party(s.bob), Scenario.REFERENCE, VaultNames.inputsHash(burn.inputRefs())));
        burn.command(new VaultCommands.Lock(), key(s.vaultParty), key(s.bob));
        s.ledger.rulesRefuse("CONSTRAINT", burn);
        s.ledger.rulesRefuse(new TokenContract(), "CONSTRAINT", burn);
    }

    @Test
    public void everyOwnerSigns() throws Exception {
        WireTransaction parts = s.ledger.commit(s.own(s.own(s.ledger.draft().input(held), token(200, "GBP", s.vaultId())),
                new TokenState(300, "GBP", party(s.alice), s.vaultId())).command(new VaultCommands.Move(), key(s.bob)));
        Draft both = s.own(s.ledger.draft().input(parts.outRef(0), parts.outRef(1)), token(500, "GBP", s.vaultId()));
        s.ledger.refuses("NOT_SIGNED", both.command(new VaultCommands.Move(), key(s.bob)));
        s.ledger.commit(both.recommand(new VaultCommands.Move(), key(s.bob), key(s.alice)));
    }

    @Test
    public void itsStateHandsItselfOn() {
        TokenState token = (TokenState) held.getState().getData();
        CommandAndState handed = token.withNewOwner(party(s.alice));
        assertTrue(handed.getCommand() instanceof VaultCommands.Move);
        assertEquals(new TokenState(500, "GBP", party(s.alice), s.vaultId()), handed.getOwnableState());
    }
}
