package drawbridge.corda.flow;

import net.corda.core.CordaException;
import net.corda.core.flows.FlowException;
import net.corda.core.node.ServiceHub;
import net.corda.core.transactions.TransactionBuilder;

/** The contracts' verdict on what is about to be signed, as an error that a caller over RPC can read. */
final class Verification {
    private Verification() {
    }

    /** @throws FlowException REFUSED with the contract's own code and words. */
    static void check(TransactionBuilder builder, ServiceHub hub) throws FlowException {
        try {
            builder.verify(hub);
        } catch (CordaException | RuntimeException refused) {
            throw failed(refused);
        }
    }

    private static FlowException failed(Exception refused) {
        Throwable cause = refused;
        while (cause.getCause() != null) cause = cause.getCause();
        return new FlowException("REFUSED: " + cause.getMessage(), refused);
    }
}
