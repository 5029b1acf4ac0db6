package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.CommandWithParties;
import net.corda.core.contracts.Contract;
import net.corda.core.contracts.ContractState;
import net.corda.core.transactions.LedgerTransaction;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Tokens of an issue vault: conserved when they move; made only beside a permit of their vault, burned only beside a record of a
 * lock, and then {@link VaultContract} runs over the same transaction.
 */
public final class TokenContract implements Contract {
    public static final String ID = "drawbridge.corda.contract.TokenContract";

    /** @throws Refusal with the code of the first rule that is broken. */
    @Override
    public void verify(LedgerTransaction tx) {
        Frame frame = new Frame(tx);
        List<TokenState> consumed = tokens(tx.getInputStates().stream());
        List<TokenState> made = tokens(tx.getOutputStates().stream());
        checkOneToken(consumed, made);
        long before = sum(consumed);
        long after = sum(made);
        if (consumed.isEmpty()) {
            frame.only(Instruct.class);
            permitOf(frame, made.get(0).getVaultId());
            return;
        }
        CommandWithParties<CommandData> command = frame.only(VaultCommands.Move.class, VaultCommands.Lock.class);
        for (TokenState token : consumed) Frame.signedBy(command, token.getOwner().getOwningKey(), "owner");
        if (command.getValue() instanceof VaultCommands.Move) {
            Refusal.unless(before == after, "CONSERVATION", "a move makes as much as it consumes");
            return;
        }
        long burned = tx.getOutputStates().stream().filter(LockState.class::isInstance).map(LockState.class::cast)
                .filter(lock -> Arrays.equals(lock.getVaultId(), consumed.get(0).getVaultId()))
                .mapToLong(LockState::getAmount).sum();
        Refusal.unless(burned > 0 && before - after == burned, "CONSERVATION", "what is burned is what the lock says");
    }

    private static List<TokenState> tokens(Stream<ContractState> states) {
        return states.filter(TokenState.class::isInstance).map(TokenState.class::cast).collect(Collectors.toList());
    }

    private static void checkOneToken(List<TokenState> consumed, List<TokenState> made) {
        TokenState first = (consumed.isEmpty() ? made : consumed).get(0);
        boolean same = Stream.concat(consumed.stream(), made.stream()).allMatch(token -> token.getAmount() > 0
                && token.getCurrency().equals(first.getCurrency()) && Arrays.equals(token.getVaultId(), first.getVaultId()));
        Refusal.unless(same, "TOKEN", "amounts above zero, of one vault and currency");
    }

    /** A permit among the inputs makes Corda run the vault's contract, which checks the instruction. */
    private static void permitOf(Frame frame, byte[] vaultId) {
        boolean found = frame.inputs().stream().map(input -> input.getState().getData())
                .anyMatch(data -> data instanceof PermitState && Arrays.equals(((PermitState) data).getVaultId(), vaultId));
        Refusal.unless(found, "PERMIT", "tokens are made beside a permit of their vault");
    }

    private static long sum(List<TokenState> tokens) {
        long sum = 0;
        for (TokenState token : tokens) sum = Math.addExact(sum, token.getAmount());
        return sum;
    }
}
