package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;
import net.corda.core.messaging.CordaRPCOps;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;

/** The commands behind Cactus's operations. Verbs, arguments, results: docs/corda-agent-protocol.md. */
public final class Operations {
    private static final Set<String> VERBS = Set.of("cactus-flows", "cactus-network", "cactus-node", "cactus-invoke", "cactus-states",
            "cactus-clock", "cactus-recorded");
    private static final int MAX_PAGE = 100_000;
    private static final int REQUEST_ID_BYTES = 16;

    private final NodeCalls node;
    private final JsonAnswers json;
    private final StateQueries states;
    private final FlowInvocations flows;
    private final Semaphore places;

    /** @param settings checked ones. @throws IllegalArgumentException for classes that are not there. */
    public Operations(OperationsSettings settings, NodeCalls node) {
        this(settings, node, System::currentTimeMillis);
    }

    Operations(OperationsSettings settings, NodeCalls node, FlowInvocations.Clock clock) {
        this.node = node;
        this.json = new JsonAnswers(settings.resultBytes());
        this.states = new StateQueries(settings.states(), node, json);
        this.flows = new FlowInvocations(settings.flows(), new AllowedClasses(settings.objects()), node, json, clock);
        this.places = new Semaphore(settings.atOnce());
    }

    public static boolean has(String verb) {
        return VERBS.contains(verb);
    }

    /**
     * @param operations null where the configuration has no such section.
     * @throws AgentException OPERATION_NOT_ALLOWED, BUSY, and what the operations say.
     */
    public static List<?> handle(Operations operations, String verb, List<?> arguments) throws AgentException {
        if (operations == null) throw Refusals.notAllowed("OFF");
        // Payments come first: operations never hold all of the agent's places.
        if (!operations.places.tryAcquire()) throw new AgentException(Code.BUSY);
        try {
            return operations.run(verb, new Given(arguments));
        } finally {
            operations.places.release();
        }
    }

    private List<?> run(String verb, Given given) throws AgentException {
        return switch (verb) {
            case "cactus-flows" -> List.of(json.write(flows.named(given.end(1).text(0))));
            case "cactus-network" -> {
                given.end(0);
                yield List.of(json.write(JsonAnswers.networkMap(node.call(ops -> ops.networkMapSnapshot()))));
            }
            case "cactus-node" -> {
                given.end(0);
                yield List.of(json.write(JsonAnswers.diagnosis(node.call(CordaRPCOps::nodeDiagnosticInfo))));
            }
            case "cactus-invoke" -> List.of(invoke(given.end(4)));
            case "cactus-states" -> states.unconsumed(given.end(2).text(0), (int) given.number(1, MAX_PAGE));
            case "cactus-clock" -> {
                states.demand(given.end(1).text(0));
                yield List.of(node.call(CordaRPCOps::currentNodeTime).toEpochMilli());
            }
            case "cactus-recorded" -> states.recorded(given.end(3).text(0), given.number(1, Given.LATEST_MS),
                    (int) given.number(2, MAX_PAGE));
            default -> throw new AgentException(Code.COMMAND_INVALID);
        };
    }

    private String invoke(Given given) throws AgentException {
        byte[] requestId = given.bytes(0, REQUEST_ID_BYTES);
        long deadlineMs = given.number(1, Given.LATEST_MS);
        long waitMs = given.number(2, FlowInvocations.MAX_AHEAD_MS);
        String request = given.text(3);
        return flows.invoke(sameness(requestId, deadlineMs, request), deadlineMs, waitMs, request);
    }

    private static String sameness(byte[] requestId, long deadlineMs, String request) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(requestId);
            digest.update(ByteBuffer.allocate(Long.BYTES).putLong(deadlineMs).array());
            digest.update(request.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A command's arguments. What is of another kind or out of its bounds is {@code COMMAND_INVALID}. */
    private record Given(List<?> items) {
        /** The last time of thirteen digits. */
        private static final long LATEST_MS = 9_999_999_999_999L;

        private Given end(int length) throws AgentException {
            if (items.size() != length) throw new AgentException(Code.COMMAND_INVALID);
            return this;
        }

        private String text(int at) throws AgentException {
            if (items.get(at) instanceof String text) return text;
            throw new AgentException(Code.COMMAND_INVALID);
        }

        private long number(int at, long max) throws AgentException {
            if (items.get(at) instanceof Long number && number >= 0 && number <= max) return number;
            throw new AgentException(Code.COMMAND_INVALID);
        }

        private byte[] bytes(int at, int length) throws AgentException {
            if (items.get(at) instanceof byte[] bytes && bytes.length == length) return bytes;
            throw new AgentException(Code.COMMAND_INVALID);
        }
    }
}
