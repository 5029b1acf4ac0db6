package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.crypto.Crypto;
import net.corda.core.flows.FlowException;
import net.corda.core.identity.AnonymousParty;
import net.corda.core.node.ServiceHub;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.finance.contracts.asset.Cash;
import net.corda.finance.workflows.asset.selection.AbstractCashSelection;

import java.sql.SQLException;
import java.util.Collections;
import java.util.Currency;
import java.util.List;

/** Cash of this node that a vault takes, reserved for the running flow; whichever of our keys owns it. */
final class CashSelection {
    private CashSelection() {
    }

    /** @throws FlowException NO_FUNDS. */
    @Suspendable
    static List<StateAndRef<Cash.State>> of(ServiceHub hub, VaultTerms terms, long amount, TransactionBuilder builder)
            throws FlowException {
        Amount<Currency> wanted = new Amount<>(amount, Currency.getInstance(terms.getCurrency()));
        List<StateAndRef<Cash.State>> found = selection(hub).unconsumedCashStatesForSpending(hub, wanted,
                Collections.singleton(new AnonymousParty(Crypto.decodePublicKey(terms.getIssuerKey()))), builder.getNotary(),
                builder.getLockId(), Collections.singleton(new OpaqueBytes(terms.getIssuerReference())));
        // What there is comes back also when it is too little.
        long held = found.stream().mapToLong(coin -> coin.getState().getData().getAmount().getQuantity()).sum();
        if (held < amount) {
            throw new FlowException("NO_FUNDS: not enough cash that this vault takes, or other flows are spending it: try again after them");
        }
        return found;
    }

    private static AbstractCashSelection selection(ServiceHub hub) {
        return AbstractCashSelection.Companion.getInstance(() -> {
            try {
                return hub.jdbcSession().getMetaData();
            } catch (SQLException broken) {
                throw new IllegalStateException("the node's database does not answer", broken);
            }
        });
    }
}
