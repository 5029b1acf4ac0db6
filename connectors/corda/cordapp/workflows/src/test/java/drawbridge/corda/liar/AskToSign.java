package drawbridge.corda.liar;

import co.paralleluniverse.fibers.Suspendable;
import net.corda.core.flows.CollectSignaturesFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.FlowSession;
import net.corda.core.flows.InitiatingFlow;
import net.corda.core.flows.ReceiveStateAndRefFlow;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;

import java.util.Collections;

/** As a thief would write the depositor's side of a lock: asks the vault party to sign whatever it likes. */
@InitiatingFlow
public final class AskToSign extends FlowLogic<SignedTransaction> {
    private final Party vaultParty;
    private final byte[] vaultId;
    private final SignedTransaction asked;

    public AskToSign(Party vaultParty, byte[] vaultId, SignedTransaction asked) {
        this.vaultParty = vaultParty;
        this.vaultId = vaultId.clone();
        this.asked = asked;
    }

    @Suspendable
    @Override
    public SignedTransaction call() throws FlowException {
        FlowSession session = initiateFlow(vaultParty);
        session.send(vaultId);
        subFlow(new ReceiveStateAndRefFlow<>(session));
        return subFlow(new CollectSignaturesFlow(asked, Collections.singletonList(session)));
    }
}
