package drawbridge.corda.contract;

import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TransactionState;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Coins of an escrow vault in a transaction: cash at some index, its guard at the next, each encumbered by the other. */
final class Coins {
    static final int MAX_CONSUMED = 32;

    private Coins() {
    }

    /**
     * Amounts, in minor units, of the coins that the transaction consumes, in ascending order of their refs.
     *
     * @param others inputs that are neither guards nor cash.
     * @throws Refusal SHAPE unless every other input belongs to a coin of this vault; TOO_MANY; the errors of CashLegs.
     */
    static List<Long> consumed(Frame frame, VaultState vault, int others) {
        List<StateAndRef<ContractState>> guards = frame.inputs().stream()
                .filter(input -> input.getState().getData() instanceof CoinState).collect(Collectors.toList());
        Refusal.unless(guards.size() <= MAX_CONSUMED, "TOO_MANY", "too many coins for one transaction");
        Refusal.unless(frame.inputs().size() == others + 2 * guards.size(), "SHAPE", "an input is no part of the payment");
        List<StateRef> order = VaultNames.sorted(guards.stream().map(StateAndRef::getRef).collect(Collectors.toList()));
        guards.sort((a, b) -> Integer.compare(order.indexOf(a.getRef()), order.indexOf(b.getRef())));
        List<Long> amounts = new ArrayList<>();
        for (StateAndRef<ContractState> guard : guards) {
            List<StateAndRef<ContractState>> cash = frame.inputs().stream()
                    .filter(input -> Frame.isAt(guard.getRef(), input.getRef(), 1)).collect(Collectors.toList());
            Refusal.unless(cash.size() == 1, "SHAPE", "a coin without its cash");
            amounts.add(pair(cash.get(0).getState(), cash.get(0).getRef().getIndex(), guard.getState(), vault));
        }
        return amounts;
    }

    /** @throws Refusal SHAPE unless outputs {@code index} and {@code index + 1} are a coin of {@code amount} of this vault. */
    static void made(Frame frame, int index, long amount, VaultState vault) {
        long found = pair(frame.outputState(index), index, frame.outputState(index + 1), vault);
        Refusal.unless(found == amount, "AMOUNT", "the coin at output " + index + " has another amount");
    }

    private static long pair(TransactionState<ContractState> cash, int cashIndex, TransactionState<ContractState> guard,
                             VaultState vault) {
        boolean mutual = Integer.valueOf(cashIndex + 1).equals(cash.getEncumbrance())
                && Integer.valueOf(cashIndex).equals(guard.getEncumbrance());
        Refusal.unless(mutual, "ENCUMBRANCE", "cash and guard must encumber each other");
        long amount = CashLegs.held(cash, vault.getTerms(), vault.getVaultParty().getOwningKey());
        CoinState expected = new CoinState(amount, vault.getVaultId(), vault.getVaultParty());
        Refusal.unless(guard.getData().equals(expected), "SHAPE", "the guard is not that of this cash and vault");
        return amount;
    }
}
