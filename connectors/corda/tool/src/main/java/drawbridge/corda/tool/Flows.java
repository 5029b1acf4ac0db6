package drawbridge.corda.tool;

import net.corda.client.rpc.RPCException;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.messaging.CordaRPCOps;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Flows that are waited for, and the parties that they name. */
final class Flows {
    private static final long TIMEOUT_SECONDS = 300;
    private static final Pattern CODED = Pattern.compile("^(?:REFUSED: )?([A-Z_]{1,40}): ");

    private Flows() {
    }

    /** @throws ToolException with the flow's own code, FLOW_FAILED, or FLOW_PENDING when it has not ended within 5 min. */
    static <T> T run(CordaRPCOps node, Class<? extends FlowLogic<? extends T>> flow, Object... arguments) throws ToolException {
        try {
            return node.<T>startFlowDynamic(flow, arguments).getReturnValue().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw of(failed.getCause());
        } catch (TimeoutException late) {
            throw new ToolException("FLOW_PENDING", "the flow goes on; ask later what came of it", late);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new ToolException("FLOW_PENDING", "interrupted; the flow goes on", stopped);
        }
    }

    /** @param name X.500. @throws ToolException PARTY_UNKNOWN */
    static Party party(CordaRPCOps node, String name) throws ToolException {
        try {
            Party party = node.wellKnownPartyFromX500Name(CordaX500Name.parse(name));
            if (party != null) return party;
        } catch (IllegalArgumentException cause) {
            throw new ToolException("PARTY_UNKNOWN", "that is no X.500 name as Corda wants it: " + cause.getMessage(), cause);
        }
        throw new ToolException("PARTY_UNKNOWN", "the network map has nobody of that name");
    }

    /** The one of that name, or the network's only one. @throws ToolException NOTARY_UNKNOWN */
    static Party notary(CordaRPCOps node, Input input) throws ToolException {
        List<Party> notaries = node.notaryIdentities();
        if (!input.has("notary")) {
            if (notaries.size() == 1) return notaries.get(0);
            throw new ToolException("NOTARY_UNKNOWN", "the network has " + notaries.size() + " notaries: name one");
        }
        String name = input.text("notary");
        for (Party notary : notaries) if (notary.getName().toString().equals(name)) return notary;
        throw new ToolException("NOTARY_UNKNOWN", "the network has no notary of that name");
    }

    private static ToolException of(Throwable failure) {
        for (Throwable at = failure; at != null; at = at.getCause()) {
            if (at instanceof RPCException lost) throw lost;
            if (!(at instanceof FlowException) || at.getMessage() == null) continue;
            Matcher matcher = CODED.matcher(at.getMessage());
            if (matcher.lookingAt()) return new ToolException(matcher.group(1), at.getMessage(), failure);
        }
        return new ToolException("FLOW_FAILED", String.valueOf(failure.getMessage()), failure);
    }
}
