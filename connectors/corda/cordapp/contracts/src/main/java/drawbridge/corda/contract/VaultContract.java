package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.CommandWithParties;
import net.corda.core.contracts.Contract;
import net.corda.core.transactions.LedgerTransaction;

/** The rules of a vault: what may consume and make its states. Shapes of transactions: docs/adr/0016-corda-vault.md. */
public final class VaultContract implements Contract {
    public static final String ID = "drawbridge.corda.contract.VaultContract";

    /** @throws Refusal with the code of the first rule that is broken. */
    @Override
    public void verify(LedgerTransaction tx) {
        Frame frame = new Frame(tx);
        CommandWithParties<CommandData> command = frame.only(VaultCommands.Seed.class, VaultCommands.Create.class,
                VaultCommands.Lock.class, Instruct.class, Guard.class);
        CommandData data = command.getValue();
        if (data instanceof Instruct) verifyInstruction(frame, command, (Instruct) data);
        else if (data instanceof Guard) verifyGuard(frame, (Guard) data);
        else if (data instanceof VaultCommands.Lock) LockRules.verify(frame, command);
        else if (data instanceof VaultCommands.Create) CreationRules.verifyCreation(frame, command);
        else CreationRules.verifySeed(frame, command);
    }

    private static void verifyInstruction(Frame frame, CommandWithParties<CommandData> command, Instruct i) {
        boolean payment = Kind.pays(i.getKind()) || i.getKind() == Kind.VOID;
        VaultState vault = payment ? frame.referredVault() : consumedVault(frame);
        Frame.signedBy(command, vault.getVaultParty(), "vault party");
        Acceptance.check(i, vault, frame);
        if (payment) PaymentRules.verify(frame, i, vault);
        else AuthorityRules.verify(frame, i, vault);
    }

    private static void verifyGuard(Frame frame, Guard guard) {
        VaultState vault = consumedVault(frame);
        frame.outputCount(1);
        frame.outputIs(0, vault.under(GuardianAction.after(vault, guard, frame.timeWindow())));
    }

    private static VaultState consumedVault(Frame frame) {
        frame.noReferences();
        boolean one = frame.inputs().size() == 1 && frame.inputs().get(0).getState().getData() instanceof VaultState;
        Refusal.unless(one, "SHAPE", "exactly the vault's state is consumed");
        return (VaultState) frame.inputs().get(0).getState().getData();
    }
}
