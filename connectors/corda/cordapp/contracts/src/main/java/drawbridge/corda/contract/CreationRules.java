package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.CommandWithParties;

/** A seed, and the vault with its permits that is named after it. */
final class CreationRules {
    private CreationRules() {
    }

    static void verifySeed(Frame frame, CommandWithParties<CommandData> command) {
        frame.noReferences();
        frame.outputCount(1);
        boolean alone = frame.inputs().isEmpty() && frame.output(0) instanceof SeedState;
        Refusal.unless(alone, "SHAPE", "a seed is made out of nothing and alone");
        Frame.signedBy(command, ((SeedState) frame.output(0)).getVaultParty(), "vault party");
    }

    static void verifyCreation(Frame frame, CommandWithParties<CommandData> command) {
        frame.noReferences();
        boolean seeded = frame.inputs().size() == 1 && frame.inputs().get(0).getState().getData() instanceof SeedState;
        Refusal.unless(seeded, "SHAPE", "a vault is made out of one seed");
        SeedState seed = (SeedState) frame.inputs().get(0).getState().getData();
        Refusal.unless(frame.output(0) instanceof VaultState, "SHAPE", "output 0 must be the vault");
        VaultState vault = (VaultState) frame.output(0);
        VaultTerms terms = vault.getTerms();
        terms.check();
        byte[] authority = vault.getControl().getAuthority();
        Refusal.unless(authority.length == 20 && !Bytes.isZero(authority), "AUTHORITY", "an authority is an address");
        byte[] vaultId = VaultNames.vaultId(frame.inputs().get(0).getRef());
        frame.outputIs(0, new VaultState(VaultControl.first(authority), terms, vaultId, seed.getVaultParty()));
        frame.outputCount(1 + terms.getPermits());
        for (int index = 0; index < terms.getPermits(); index++) {
            frame.outputIs(1 + index, PermitState.first(index, vaultId, seed.getVaultParty()));
        }
        Frame.signedBy(command, seed.getVaultParty(), "vault party");
    }
}
