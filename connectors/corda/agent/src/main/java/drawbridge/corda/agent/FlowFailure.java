package drawbridge.corda.agent;

import net.corda.client.rpc.RPCException;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.NotaryException;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a failure of a flow or of a call says to the connector. */
public final class FlowFailure {
    private static final int MAX_CAUSES = 16;
    /** A flow's refusal: its code, or REFUSED and the contract's code. */
    private static final Pattern REFUSAL = Pattern.compile("(?:REFUSED: )?(?:([A-Z_]{1,40}): )?");
    private static final Pattern CODED = Pattern.compile("^[A-Z_]{1,40}: .*", Pattern.DOTALL);

    private FlowFailure() {
    }

    public static AgentException of(Throwable failure) {
        Throwable at = failure;
        for (int i = 0; at != null && i < MAX_CAUSES; i++, at = at.getCause()) {
            if (at instanceof AgentException known) return known;
            if (at instanceof NotaryException) return new AgentException(Code.NOTARY_REFUSED, failure);
            if (at instanceof RPCException) return new AgentException(Code.NODE_UNAVAILABLE, failure);
            if (at instanceof FlowException && at.getMessage() != null && CODED.matcher(at.getMessage()).matches()) {
                return new AgentException(Code.REFUSED, detail(at.getMessage()), failure);
            }
        }
        return new AgentException(Code.FLOW_FAILED, failure);
    }

    private static String detail(String message) {
        Matcher matcher = REFUSAL.matcher(message);
        return matcher.lookingAt() && matcher.group(1) != null ? matcher.group(1) : "";
    }
}
