package drawbridge.corda.contract;

import net.corda.core.contracts.StateAndRef;
import org.junit.Test;

import java.util.Arrays;

import static drawbridge.corda.contract.Scenario.key;
import static drawbridge.corda.contract.Scenario.party;

/** How a vault comes to be, and how not. */
public class CreationTest extends LedgerTest {
    private final Scenario s = new Scenario(Kind.MODE_ESCROW);
    private final StateAndRef<?> seed = s.ledger.commit(s.seedDraft()).outRef(0);

    public CreationTest() throws Exception {
    }

    private Draft creation() {
        return s.creationDraft(seed, s.vaultState().getTerms());
    }

    private VaultState vault() {
        return (VaultState) creation().outputs.get(0).getData();
    }

    @Test
    public void aSeedIsMadeOfNothingAndSigned() throws Exception {
        s.ledger.refuses("SHAPE", s.seedDraft().input(seed));
        s.ledger.refuses("SHAPE", s.own(s.seedDraft(), new SeedState(party(s.vaultParty))));
        s.ledger.refuses("NOT_SIGNED", s.seedDraft().recommand(new VaultCommands.Seed(), key(s.bob)));
    }

    @Test
    public void aVaultIsMadeOfOneSeed() throws Exception {
        StateAndRef<?> second = s.ledger.commit(s.seedDraft()).outRef(0);
        s.ledger.refuses("SHAPE", creation().input(second));
        Draft none = creation();
        none.inputs.clear();
        s.ledger.refuses("SHAPE", none);
        Draft permit = creation();
        permit.inputs.clear();
        s.ledger.refuses("SHAPE", permit.input(s.permit(0)));
    }

    @Test
    public void theFirstOutputIsTheVault() throws Exception {
        s.ledger.refuses("SHAPE", creation().change(0, PermitState.first(0, s.vaultId(), party(s.vaultParty))));
        VaultState theirs = new VaultState(vault().getControl(), vault().getTerms(), vault().getVaultId(), party(s.alice));
        s.ledger.refuses("SHAPE", creation().change(0, theirs));
        VaultState unnamed = new VaultState(vault().getControl(), vault().getTerms(), Scenario.word("chosen"), party(s.vaultParty));
        s.ledger.refuses("SHAPE", creation().change(0, unnamed));
    }

    @Test
    public void itsTermsAreInRange() throws Exception {
        VaultTerms t = s.vaultState().getTerms();
        VaultTerms uncapped = new VaultTerms(t.getAsset(), t.getCapWindowSeconds(), t.getCashConstraint(), t.getCurrency(),
                t.getGenesisHash(), t.getGuardianDelaySeconds(), t.getGuardianThreshold(), t.getGuardians(), t.getIssuerKey(),
                t.getIssuerReference(), t.getMode(), t.getNetworkIdHash(), 0, t.getPermits(), t.getServiceId());
        s.ledger.refuses("TERMS", s.creationDraft(seed, uncapped));
    }

    @Test
    public void itsAuthorityIsAnAddress() throws Exception {
        byte[] authority = s.authority.address();
        for (byte[] none : new byte[][]{new byte[20], Arrays.copyOf(authority, 19), Arrays.copyOf(authority, 21), new byte[0]}) {
            s.ledger.refuses("AUTHORITY", creation().change(0, vault().under(VaultControl.first(none))));
        }
    }

    @Test
    public void itHasItsPermitsAndNothingElse() throws Exception {
        s.ledger.refuses("SHAPE", s.own(creation(), PermitState.first(2, vault().getVaultId(), party(s.vaultParty))));
        s.ledger.refuses("SHAPE", s.own(creation(), new CoinState(500, vault().getVaultId(), party(s.vaultParty))));
        PermitState full = PermitState.first(1, vault().getVaultId(), party(s.vaultParty));
        s.ledger.refuses("SHAPE", creation().change(1, full));
        s.ledger.refuses("SHAPE", creation().change(2, PermitState.first(1, s.vaultId(), party(s.vaultParty))));
        s.ledger.refuses("SHAPE", creation().change(2, PermitState.first(1, vault().getVaultId(), party(s.alice))));
        PermitState used = new PermitState(1, 0, 1, new byte[32], 0, 0, vault().getVaultId(), party(s.vaultParty));
        s.ledger.refuses("SHAPE", creation().change(2, used));
    }
}
