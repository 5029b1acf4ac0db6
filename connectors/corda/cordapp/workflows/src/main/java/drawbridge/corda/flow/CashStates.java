package drawbridge.corda.flow;

import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.VaultContract;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.AutomaticPlaceholderConstraint;
import net.corda.core.identity.AbstractParty;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.finance.contracts.asset.Cash;

/** Outputs of finance cash. */
final class CashStates {
    private CashStates() {
    }

    /** Cash of the same issuer, reference and currency. @param amount minor units. */
    static Cash.State of(Cash.State like, long amount, AbstractParty owner) {
        return new Cash.State(new Amount<>(amount, like.getAmount().getToken()), owner);
    }

    /** Cash and its guard as the next two outputs, each encumbered by the other. */
    static void addCoin(TransactionBuilder builder, Cash.State cash, CoinState guard) {
        int at = builder.outputStates().size();
        builder.addOutputState(cash, Cash.PROGRAM_ID, builder.getNotary(), at + 1, AutomaticPlaceholderConstraint.INSTANCE);
        builder.addOutputState(guard, VaultContract.ID, builder.getNotary(), at, AutomaticPlaceholderConstraint.INSTANCE);
    }
}
