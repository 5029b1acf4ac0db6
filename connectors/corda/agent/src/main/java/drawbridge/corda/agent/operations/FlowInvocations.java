package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.databind.JsonNode;
import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;
import drawbridge.corda.agent.FlowFailure;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.messaging.FlowHandleWithClientId;
import net.corda.core.transactions.SignedTransaction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Starts flows of the listed classes, each request at most once however often its command is delivered: the node knows the flow by a client
 * id made of the request, which stays there until nobody obeys that command any more. The id begins with the time when that is.
 */
final class FlowInvocations {
    static final int MAX_ARGUMENTS = 64;
    /** How far a deadline may lie ahead. */
    static final long MAX_AHEAD_MS = 3_600_000;
    /** Between the clocks of agents that share a node. */
    private static final long CLOCKS_MS = 600_000;
    private static final int MAX_FORGOTTEN = 100;
    private static final String PREFIX = "drawbridge-operation-";
    private static final Pattern OURS = Pattern.compile(PREFIX + "([0-9]{13})-[0-9a-f]{32}");
    private static final Set<String> KINDS = Set.of("FLOW_DYNAMIC", "TRACKED_FLOW_DYNAMIC");

    private final Map<String, Class<? extends FlowLogic<?>>> allowed = new TreeMap<>();
    private final AllowedClasses classes;
    private final NodeCalls node;
    private final JsonAnswers json;
    private final Clock clock;

    /** Unix ms. */
    interface Clock {
        long nowMs();
    }

    /** @throws IllegalArgumentException for a class that is not there, or is no flow that RPC may start. */
    FlowInvocations(List<String> names, AllowedClasses classes, NodeCalls node, JsonAnswers json, Clock clock) {
        for (String name : names) allowed.put(name, flow(name));
        this.classes = classes;
        this.node = node;
        this.json = json;
        this.clock = clock;
    }

    @SuppressWarnings("unchecked")
    private static Class<? extends FlowLogic<?>> flow(String name) {
        Class<?> type = AllowedClasses.loaded(name, FlowLogic.class);
        if (!type.isAnnotationPresent(StartableByRPC.class)) {
            throw new IllegalArgumentException("configuration: operations.flows: " + name + " is not for RPC");
        }
        return (Class<? extends FlowLogic<?>>) type;
    }

    /** Names of the listed flows that the node has, those with the filter in them. */
    Map<String, Object> named(String filter) throws AgentException {
        List<String> registered = node.call(CordaRPCOps::registeredFlows);
        return Map.of("flowNames", allowed.keySet().stream().filter(registered::contains)
                .filter(name -> name.contains(filter)).toList());
    }

    /**
     * @param sameness   32 hex digits of all that is asked for.
     * @param deadlineMs after it the command is not obeyed.
     * @param waitMs     for the flow's answer.
     * @return JSON in Cactus's form. @throws AgentException FLOW_PENDING while the flow has not ended.
     */
    String invoke(String sameness, long deadlineMs, long waitMs, String request) throws AgentException {
        long now = clock.nowMs();
        if (deadlineMs < now) throw new AgentException(Code.COMMAND_EXPIRED);
        if (deadlineMs > now + MAX_AHEAD_MS + CLOCKS_MS) throw new AgentException(Code.COMMAND_INVALID);
        JsonNode form = JsonAnswers.read(request);
        Class<? extends FlowLogic<?>> flow = allowed.get(Primitives.text(form.get("flowFullClassName")));
        if (flow == null) throw Refusals.notAllowed("FLOW");
        if (!KINDS.contains(Primitives.text(form.get("flowInvocationType")))) throw Refusals.object("FORM");
        Object[] arguments = arguments(form.get("params"));
        forgetOld(now);
        FlowHandleWithClientId<?> handle = node.call(ops -> start(ops, clientId(sameness, deadlineMs), flow, arguments));
        Object answer = await(handle.getReturnValue(), waitMs);
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("success", true);
        shown.put("callOutput", JsonAnswers.callOutput(answer));
        shown.put("flowId", handle.getId().getUuid().toString());
        if (answer instanceof SignedTransaction signed) shown.put("transactionId", signed.getId().toString());
        shown.put("progress", List.of());
        return json.write(shown);
    }

    private static FlowHandleWithClientId<?> start(CordaRPCOps ops, String clientId, Class<? extends FlowLogic<?>> flow,
                                                   Object[] arguments) {
        return ops.startFlowDynamicWithClientId(clientId, flow, arguments);
    }

    static String clientId(String sameness, long deadlineMs) {
        return PREFIX + "%013d".formatted(deadlineMs) + "-" + sameness;
    }

    private Object[] arguments(JsonNode params) throws AgentException {
        if (params == null || !params.isArray() || params.size() > MAX_ARGUMENTS) throw Refusals.object("FORM");
        ObjectBuilder builder = new ObjectBuilder(classes, name -> node.call(ops -> ops.wellKnownPartyFromX500Name(name)));
        List<Object> arguments = new ArrayList<>();
        for (JsonNode param : params) arguments.add(builder.build(param));
        return arguments.toArray();
    }

    /** Client ids of ended flows whose commands nobody obeys any more. */
    private void forgetOld(long now) throws AgentException {
        List<String> old = node.call(CordaRPCOps::finishedFlowsWithClientIds).keySet().stream()
                .filter(id -> isOld(id, now)).limit(MAX_FORGOTTEN).toList();
        for (String id : old) node.call(ops -> ops.removeClientId(id));
    }

    static boolean isOld(String clientId, long now) {
        Matcher matcher = OURS.matcher(clientId);
        return matcher.matches() && Long.parseLong(matcher.group(1)) + CLOCKS_MS < now;
    }

    private static Object await(Future<?> answer, long waitMs) throws AgentException {
        try {
            return answer.get(waitMs, TimeUnit.MILLISECONDS);
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
