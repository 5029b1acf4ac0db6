package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.CommandWithParties;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;

/** Value comes in: cash becomes a coin of the vault, tokens are burned; either way a record of the lock is made. */
final class LockRules {
    private LockRules() {
    }

    static void verify(Frame frame, CommandWithParties<CommandData> command) {
        VaultState vault = frame.referredVault();
        VaultTerms terms = vault.getTerms();
        boolean escrow = terms.getMode() == Kind.MODE_ESCROW;
        Refusal.unless(!vault.getControl().paused(), "PAUSED", "locks stand still");
        int at = escrow ? 2 : 0;
        Refusal.unless(frame.output(at) instanceof LockState, "SHAPE", "output " + at + " must be the lock");
        LockState lock = (LockState) frame.output(at);
        boolean amount = lock.getAmount() > 0 && lock.getAmount() <= terms.getPermitCap();
        Refusal.unless(amount, "AMOUNT", "nothing, or more than could be paid back in one piece");
        Refusal.unless(Bytes.isWord(lock.getReference()), "REFERENCE_LENGTH", "a reference has 32 bytes");
        frame.outputIs(at, LockState.of(vault, lock.getAmount(), lock.getDepositor(), lock.getReference(),
                frame.inputsHash()));
        Frame.signedBy(command, vault.getVaultParty(), "vault party");
        Frame.signedBy(command, lock.getDepositor(), "depositor");
        Refusal.unless(!frame.inputs().isEmpty(), "SHAPE", "a lock consumes something of its owner's");
        if (escrow) verifyCash(frame, lock, vault);
        else verifyBurn(frame);
    }

    /** That the cash is conserved and its owners sign is the cash contract's own rule. */
    private static void verifyCash(Frame frame, LockState lock, VaultState vault) {
        for (StateAndRef<ContractState> input : frame.inputs()) {
            Refusal.unless(CashLegs.isCash(input.getState()), "SHAPE", "a lock consumes the owner's cash only");
        }
        Coins.made(frame, 0, lock.getAmount(), vault);
        for (int i = 3; i < frame.outputs().size(); i++) {
            boolean change = CashLegs.isCash(frame.outputState(i)) && frame.outputState(i).getEncumbrance() == null;
            Refusal.unless(change, "SHAPE", "only the owner's change may follow");
        }
    }

    /** That what is missing is what the record says, and that the owners sign, is {@link TokenContract}'s rule. */
    private static void verifyBurn(Frame frame) {
        for (StateAndRef<ContractState> input : frame.inputs()) {
            Refusal.unless(input.getState().getData() instanceof TokenState, "SHAPE", "a burn consumes tokens only");
        }
        for (int i = 1; i < frame.outputs().size(); i++) {
            Refusal.unless(frame.output(i) instanceof TokenState, "SHAPE", "only the owner's change may follow");
        }
    }
}
