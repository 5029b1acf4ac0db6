package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.TokenContract;
import drawbridge.corda.contract.TokenState;
import drawbridge.corda.contract.VaultCommands;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.flows.FinalityFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatedBy;
import net.corda.core.flows.InitiatingFlow;
import net.corda.core.flows.ReceiveFinalityFlow;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;

import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Hands tokens of an issue vault to another party. Answers the transaction's id in hex. */
@InitiatingFlow
@StartableByRPC
public final class MoveTokens extends FlowLogic<String> {
    private final byte[] vaultId;
    private final long amount;
    private final Party recipient;

    /** @param amount minor units. */
    public MoveTokens(byte[] vaultId, long amount, Party recipient) {
        this.vaultId = vaultId.clone();
        this.amount = amount;
        this.recipient = recipient;
    }

    @Suspendable
    @Override
    public String call() throws FlowException {
        if (amount <= 0) throw new FlowException("AMOUNT: nothing to move");
        List<StateAndRef<TokenState>> tokens = TokenSelection.of(getServiceHub(), vaultId, amount, getRunId().getUuid());
        TransactionBuilder builder = new TransactionBuilder(tokens.get(0).getState().getNotary());
        builder.setTimeWindow(TimeWindows.around(getServiceHub().getClock().instant()));
        long held = 0;
        Set<PublicKey> owners = new LinkedHashSet<>();
        for (StateAndRef<TokenState> token : tokens) {
            builder.addInputState(token);
            held += token.getState().getData().getAmount();
            owners.add(token.getState().getData().getOwner().getOwningKey());
        }
        String currency = tokens.get(0).getState().getData().getCurrency();
        builder.addOutputState(new TokenState(amount, currency, recipient, vaultId), TokenContract.ID);
        if (held > amount) {
            builder.addOutputState(new TokenState(held - amount, currency, getOurIdentity(), vaultId), TokenContract.ID);
        }
        builder.addCommand(new VaultCommands.Move(), new ArrayList<>(owners));
        Verification.check(builder, getServiceHub());
        SignedTransaction signed = getServiceHub().signInitialTransaction(builder, owners);
        FlowSession session = initiateFlow(recipient);
        return subFlow(new FinalityFlow(signed, Collections.singletonList(session))).getId().toString();
    }

    /** The recipient's side. */
    @InitiatedBy(MoveTokens.class)
    public static final class Receive extends FlowLogic<SignedTransaction> {
        private final FlowSession session;

        public Receive(FlowSession session) {
            this.session = session;
        }

        @Suspendable
        @Override
        public SignedTransaction call() throws FlowException {
            return subFlow(new ReceiveFinalityFlow(session));
        }
    }
}
