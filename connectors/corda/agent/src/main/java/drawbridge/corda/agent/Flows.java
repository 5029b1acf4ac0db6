package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.core.flows.FlowLogic;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.messaging.FlowHandleWithClientId;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Starts flows of the CorDapp, and waits for what they answer. */
final class Flows {
    /** For questions, which wait for nobody but the node. */
    private static final long ASK_SECONDS = 30;

    private final NodeCalls node;
    private final int timeoutSeconds;

    Flows(NodeCalls node, int timeoutSeconds) {
        this.node = node;
        this.timeoutSeconds = timeoutSeconds;
    }

    /** A flow that only asks. */
    <T> T ask(Class<? extends FlowLogic<? extends T>> flow, Object... arguments) throws AgentException {
        return await(node.call(ops -> ops.<T>startFlowDynamic(flow, arguments).getReturnValue()), ASK_SECONDS);
    }

    /**
     * A flow that changes the ledger. Whoever asks for the same at the same time joins the flow that runs.
     *
     * @param sameness encodes all that is asked for.
     * @throws AgentException FLOW_PENDING while it has not ended.
     */
    <T> T change(byte[] sameness, Class<? extends FlowLogic<? extends T>> flow, Object... arguments) throws AgentException {
        String clientId = clientId(sameness);
        long from = System.nanoTime();
        FlowHandleWithClientId<T> handle = node.call(ops -> ops.startFlowDynamicWithClientId(clientId, flow, arguments));
        AgentException failed = null;
        T answer = null;
        try {
            answer = await(handle.getReturnValue(), timeoutSeconds);
        } catch (AgentException failure) {
            if (failure.code() == Code.FLOW_PENDING || failure.code() == Code.NODE_UNAVAILABLE) throw failure;
            failed = failure;
        }
        Log.took("flow-ended", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - from));
        forget(clientId);
        if (failed != null) throw failed;
        return answer;
    }

    static String clientId(byte[] sameness) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(sameness);
            return "drawbridge-" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A failure of the past must not answer for the next attempt. */
    private void forget(String clientId) throws AgentException {
        node.call((CordaRPCOps ops) -> ops.removeClientId(clientId));
    }

    private static <T> T await(Future<T> answer, long seconds) throws AgentException {
        try {
            return answer.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            throw new AgentException(Code.FLOW_PENDING, late);
        } catch (ExecutionException failed) {
            throw FlowFailure.of(failed.getCause());
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new AgentException(Code.FLOW_PENDING, stopped);
        }
    }
}
