package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.core.concurrent.CordaFuture;
import net.corda.core.flows.StateMachineRunId;
import net.corda.core.internal.concurrent.CordaFutureImplKt;
import net.corda.core.internal.concurrent.OpenFuture;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.messaging.FlowHandle;
import net.corda.core.messaging.FlowHandleImpl;
import net.corda.core.messaging.FlowHandleWithClientId;
import net.corda.core.messaging.FlowHandleWithClientIdImpl;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

/** Answers as a node would, by the name of the call or of the flow; what nobody set fails the test. */
final class NodeDouble implements NodeCalls {
    /** Calls and flows by simple name, in order; flows under a client id as {@code name#id}. */
    final List<String> asked = new ArrayList<>();
    private final Map<String, Function<Object[], Object>> answers = new HashMap<>();

    /** A flow's answer that is a Throwable is its failure. */
    NodeDouble on(String name, Function<Object[], Object> answer) {
        answers.put(name, answer);
        return this;
    }

    @Override
    public <T> T call(Function<CordaRPCOps, T> call) {
        return call.apply((CordaRPCOps) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[]{CordaRPCOps.class},
                (proxy, method, arguments) -> told(method.getName(), arguments == null ? new Object[0] : arguments)));
    }

    private Object told(String name, Object[] arguments) {
        if (name.equals("startFlowDynamic")) return plain(((Class<?>) arguments[0]).getSimpleName(), (Object[]) arguments[1]);
        if (name.equals("startFlowDynamicWithClientId")) {
            return named((String) arguments[0], ((Class<?>) arguments[1]).getSimpleName(), (Object[]) arguments[2]);
        }
        asked.add(name);
        return answer(name, arguments);
    }

    private FlowHandle<?> plain(String flow, Object[] arguments) {
        asked.add(flow);
        return new FlowHandleImpl<>(new StateMachineRunId(new UUID(0, 1)), future(answer(flow, arguments)));
    }

    private FlowHandleWithClientId<?> named(String clientId, String flow, Object[] arguments) {
        asked.add(flow + "#" + clientId);
        return new FlowHandleWithClientIdImpl<>(new StateMachineRunId(new UUID(0, 1)), future(answer(flow, arguments)), clientId);
    }

    private static CordaFuture<Object> future(Object answer) {
        OpenFuture<Object> future = CordaFutureImplKt.openFuture();
        if (answer == PENDING) return future;
        if (answer instanceof Throwable failure) future.setException(failure);
        else future.set(answer);
        return future;
    }

    /** Of a flow that has not ended. */
    static final Object PENDING = new Object();

    private Object answer(String name, Object[] arguments) {
        if (!answers.containsKey(name)) throw new AssertionError(name);
        return answers.get(name).apply(arguments);
    }
}
