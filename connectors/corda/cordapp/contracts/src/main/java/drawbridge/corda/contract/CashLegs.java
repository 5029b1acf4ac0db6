package drawbridge.corda.contract;

import net.corda.core.contracts.Amount;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.Issued;
import net.corda.core.contracts.TransactionState;
import net.corda.finance.contracts.asset.Cash;

import java.security.PublicKey;
import java.util.Arrays;
import java.util.Currency;

/**
 * Finance cash as an escrow vault takes it. The only class that needs the finance jar, which is attached to no transaction
 * without cash: keep it so.
 */
final class CashLegs {
    private CashLegs() {
    }

    /**
     * Minor units of cash of the vault's issuer and currency that {@code owner} holds.
     *
     * @throws Refusal NOT_CASH, CASH_CONTRACT, ISSUER, CURRENCY, OWNER, AMOUNT.
     */
    static long held(TransactionState<ContractState> state, VaultTerms terms, PublicKey owner) {
        ContractState data = state.getData();
        Refusal.unless(data.getClass() == Cash.State.class, "NOT_CASH", "finance cash is needed");
        boolean genuine = state.getContract().equals(Cash.PROGRAM_ID)
                && Arrays.equals(Constraints.name(state.getConstraint()), terms.getCashConstraint());
        Refusal.unless(genuine, "CASH_CONTRACT", "the cash is under other code than the vault takes");
        Cash.State cash = (Cash.State) data;
        Amount<Issued<Currency>> amount = cash.getAmount();
        Issued<Currency> token = amount.getToken();
        boolean issuer = Arrays.equals(token.getIssuer().getParty().getOwningKey().getEncoded(), terms.getIssuerKey())
                && Arrays.equals(token.getIssuer().getReference().getBytes(), terms.getIssuerReference());
        Refusal.unless(issuer, "ISSUER", "the cash is another issuer's or has another reference");
        Refusal.unless(token.getProduct().getCurrencyCode().equals(terms.getCurrency()), "CURRENCY", "another currency");
        Refusal.unless(cash.getOwner().getOwningKey().equals(owner), "OWNER", "the cash is another's");
        Refusal.unless(amount.getQuantity() > 0, "AMOUNT", "cash of nothing");
        return amount.getQuantity();
    }

    static boolean isCash(TransactionState<ContractState> state) {
        return state.getData().getClass() == Cash.State.class;
    }

    /** The key of whoever owns the cash. @throws Refusal NOT_CASH. */
    static PublicKey owner(TransactionState<ContractState> state) {
        Refusal.unless(isCash(state), "NOT_CASH", "finance cash is needed");
        return ((Cash.State) state.getData()).getOwner().getOwningKey();
    }
}
