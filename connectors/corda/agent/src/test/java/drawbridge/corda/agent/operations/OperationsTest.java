package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;
import net.corda.core.contracts.ContractState;
import net.corda.core.cordapp.CordappInfo;
import net.corda.core.crypto.SecureHash;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.flows.StateMachineRunId;
import net.corda.core.identity.AbstractParty;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.messaging.FlowHandleWithClientIdImpl;
import net.corda.core.node.NodeDiagnosticInfo;
import org.junit.Test;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

import static drawbridge.corda.agent.operations.ObjectBuilderTest.primitive;
import static drawbridge.corda.agent.operations.ObjectBuilderTest.text;
import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

public class OperationsTest {
    private static final long NOW = 1_700_000_000_000L;
    private static final byte[] REQUEST = new byte[16];
    private static final String FLOW = Ask.class.getName();
    private static final String STATE = Note.class.getName();

    @StartableByRPC
    public static final class Ask extends FlowLogic<String> {
        @Override
        public String call() {
            return "";
        }
    }

    /** Listed, and not installed on the node. */
    @StartableByRPC
    public static final class Absent extends FlowLogic<String> {
        @Override
        public String call() {
            return "";
        }
    }

    public static final class Unasked extends FlowLogic<String> {
        @Override
        public String call() {
            return "";
        }
    }

    public static final class Note implements ContractState {
        @Override
        public List<AbstractParty> getParticipants() {
            return List.of();
        }
    }

    /** A node by rote: what it was asked, and what flows answer. */
    private static final class RoteNode implements NodeCalls {
        private final Map<String, List<Object[]>> asked = new LinkedHashMap<>();
        private final Map<String, Boolean> finished = new LinkedHashMap<>();
        private Object answer = "";
        private CountDownLatch entered = new CountDownLatch(0);
        private CountDownLatch leave = new CountDownLatch(0);

        @Override
        public <T> T call(Function<CordaRPCOps, T> call) {
            return call.apply((CordaRPCOps) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {CordaRPCOps.class},
                    (proxy, method, arguments) -> told(method.getName(), arguments)));
        }

        private Object told(String name, Object[] arguments) throws InterruptedException {
            synchronized (asked) {
                asked.computeIfAbsent(name, none -> new ArrayList<>()).add(arguments);
            }
            switch (name) {
                case "registeredFlows":
                    entered.countDown();
                    leave.await();
                    return List.of(FLOW, "net.corda.core.flows.Other");
                case "finishedFlowsWithClientIds": return finished;
                case "removeClientId": return true;
                case "currentNodeTime": return Instant.ofEpochMilli(NOW + 5);
                case "startFlowDynamicWithClientId": return new FlowHandleWithClientIdImpl<>(new StateMachineRunId(new UUID(0, 7)),
                        net.corda.core.internal.concurrent.CordaFutureImplKt.doneFuture(answer), (String) arguments[0]);
                case "nodeDiagnosticInfo": return new NodeDiagnosticInfo("4.10", "abc", 12, "Vendor", List.of(new CordappInfo("Workflow",
                        "app.jar", "App", 4, 12, "1", "V", "L", SecureHash.sha256("jar"))));
                default: throw new AssertionError(name);
            }
        }

        private List<Object[]> calls(String name) {
            return asked.getOrDefault(name, List.of());
        }
    }

    private final RoteNode node = new RoteNode();

    private Operations operations(int atOnce, int resultBytes) {
        return new Operations(new OperationsSettings(List.of(FLOW, Absent.class.getName()), List.of(STATE), List.of(), atOnce, resultBytes).checked(), node,
                () -> NOW);
    }

    private List<?> ask(String verb, Object... arguments) throws AgentException {
        return Operations.handle(operations(1, 10_000), verb, Arrays.asList(arguments));
    }

    private void refused(Code code, String detail, String verb, Object... arguments) {
        AgentException refusal = assertThrows(AgentException.class, () -> ask(verb, arguments));
        assertEquals(code, refusal.code());
        assertEquals(detail, refusal.detail());
    }

    private static String request(String flow, String... params) {
        return """
                {"flowFullClassName": "%s", "flowInvocationType": "FLOW_DYNAMIC", "params": [%s]}"""
                .formatted(flow, String.join(",", params));
    }

    @Test
    public void withoutTheSectionNothingIsDone() {
        for (String verb : List.of("cactus-flows", "cactus-invoke", "cactus-states")) {
            assertTrue(Operations.has(verb));
            AgentException refusal = assertThrows(AgentException.class, () -> Operations.handle(null, verb, List.of("")));
            assertEquals(Code.OPERATION_NOT_ALLOWED, refusal.code());
            assertEquals("OFF", refusal.detail());
        }
        assertFalse(Operations.has("execute"));
    }

    @Test
    public void flowsAreThoseThatAreListedAndThere() throws AgentException {
        assertEquals(List.of("{\"flowNames\":[\"" + FLOW + "\"]}"), ask("cactus-flows", ""));
        assertEquals(List.of("{\"flowNames\":[]}"), ask("cactus-flows", "Other"));
    }

    @Test
    public void aListedFlowRunsWithItsArguments() throws AgentException, IOException {
        node.answer = Map.of("done", true);
        List<?> answer = ask("cactus-invoke", REQUEST, NOW + 60_000, 1_000L, request(FLOW, text("x"), primitive("int", "3")));
        JsonNode json = new ObjectMapper().readTree((String) answer.get(0));
        assertTrue(json.get("success").booleanValue());
        assertTrue(json.get("callOutput").get("done").booleanValue());
        assertEquals(new UUID(0, 7).toString(), json.get("flowId").textValue());
        assertEquals(0, json.get("progress").size());
        Object[] started = node.calls("startFlowDynamicWithClientId").get(0);
        assertEquals(Ask.class, started[1]);
        assertArrayEquals(new Object[] {"x", 3}, (Object[]) started[2]);
    }

    @Test
    public void noOtherFlowIsStarted() {
        for (String flow : List.of("net.corda.core.flows.Other", Unasked.class.getName(), "java.lang.Runtime")) {
            refused(Code.OPERATION_NOT_ALLOWED, "FLOW", "cactus-invoke", REQUEST, NOW, 0L, request(flow));
        }
        refused(Code.OBJECT_INVALID, "FORM", "cactus-invoke", REQUEST, NOW, 0L, request(FLOW).replace("FLOW_DYNAMIC", "OTHER"));
        refused(Code.OBJECT_INVALID, "FORM", "cactus-invoke", REQUEST, NOW, 0L, request(FLOW).replace("[]", "{}"));
        String many = String.join(",", java.util.Collections.nCopies(FlowInvocations.MAX_ARGUMENTS + 1, primitive("int", "1")));
        refused(Code.OBJECT_INVALID, "FORM", "cactus-invoke", REQUEST, NOW, 0L, request(FLOW, many));
        refused(Code.OPERATION_NOT_ALLOWED, "CLASS", "cactus-invoke", REQUEST, NOW, 0L,
                request(FLOW, ObjectBuilderTest.object("java.lang.ProcessBuilder", text("x"))));
        assertEquals(List.of(), node.calls("startFlowDynamicWithClientId"));
    }

    @Test
    public void aFlowThatIsNotForRpcCannotBeListed() {
        for (String name : List.of(Unasked.class.getName(), "no.such.Flow", "java.lang.String")) {
            OperationsSettings settings = new OperationsSettings(List.of(name), null, null, null, null).checked();
            assertThrows(name, IllegalArgumentException.class, () -> new Operations(settings, node));
        }
    }

    @Test
    public void theSameCommandJoinsItsFlowAndAnotherDoesNot() throws AgentException {
        String same = request(FLOW);
        ask("cactus-invoke", REQUEST, NOW + 1, 1_000L, same);
        ask("cactus-invoke", REQUEST, NOW + 1, 2_000L, same);
        ask("cactus-invoke", REQUEST, NOW + 2, 1_000L, same);
        byte[] another = new byte[16];
        another[0] = 1;
        ask("cactus-invoke", another, NOW + 1, 1_000L, same);
        ask("cactus-invoke", REQUEST, NOW + 1, 1_000L, request(FLOW, text("x")));
        List<Object> ids = node.calls("startFlowDynamicWithClientId").stream().map(each -> each[0]).toList();
        assertEquals(ids.get(0), ids.get(1));
        assertEquals(4, ids.stream().distinct().count());
    }

    @Test
    public void aLateCommandIsNotObeyed() {
        refused(Code.COMMAND_EXPIRED, "", "cactus-invoke", REQUEST, NOW - 1, 1_000L, request(FLOW));
        refused(Code.COMMAND_INVALID, "", "cactus-invoke", REQUEST, NOW + 4_200_001, 1_000L, request(FLOW));
        assertEquals(List.of(), node.calls("startFlowDynamicWithClientId"));
    }

    @Test
    public void whatEndedIsForgottenOnceNobodyObeysItsCommand() throws AgentException {
        String old = FlowInvocations.clientId("ab".repeat(16), NOW - 600_001);
        node.finished.put(old, true);
        node.finished.put(FlowInvocations.clientId("cd".repeat(16), NOW - 600_000), true);
        node.finished.put("drawbridge-" + "ab".repeat(32), true);
        ask("cactus-invoke", REQUEST, NOW, 1_000L, request(FLOW));
        assertEquals(1, node.calls("removeClientId").size());
        assertEquals(old, node.calls("removeClientId").get(0)[0]);
    }

    @Test
    public void onlyListedStatesAreRead() throws AgentException {
        assertEquals(List.of(NOW + 5), ask("cactus-clock", STATE));
        for (String name : List.of("net.corda.core.contracts.ContractState", "no.such.State", "")) {
            refused(Code.OPERATION_NOT_ALLOWED, "STATE", "cactus-clock", name);
            refused(Code.OPERATION_NOT_ALLOWED, "STATE", "cactus-states", name, 0L);
            refused(Code.OPERATION_NOT_ALLOWED, "STATE", "cactus-recorded", name, 0L, 0L);
        }
        OperationsSettings wrong = new OperationsSettings(null, List.of("java.lang.String"), null, null, null).checked();
        assertThrows(IllegalArgumentException.class, () -> new Operations(wrong, node));
    }

    @Test
    public void argumentsOfAnotherKindAreRefused() {
        for (Object[] arguments : new Object[][] {{}, {5L}, {"", ""}}) {
            refused(Code.COMMAND_INVALID, "", "cactus-flows", arguments);
        }
        refused(Code.COMMAND_INVALID, "", "cactus-invoke", new byte[15], NOW, 0L, request(FLOW));
        refused(Code.COMMAND_INVALID, "", "cactus-invoke", REQUEST, NOW, 3_600_001L, request(FLOW));
        refused(Code.COMMAND_INVALID, "", "cactus-states", STATE, 100_001L);
        refused(Code.COMMAND_INVALID, "", "cactus-recorded", STATE, 10_000_000_000_000L, 0L);
        refused(Code.COMMAND_INVALID, "", "cactus-network", "");
    }

    @Test
    public void noMoreAreWorkedOnThanAllowed() throws Exception {
        node.entered = new CountDownLatch(1);
        node.leave = new CountDownLatch(1);
        Operations one = operations(1, 10_000);
        CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
            try {
                Operations.handle(one, "cactus-flows", List.of(""));
            } catch (AgentException failed) {
                throw new IllegalStateException(failed);
            }
        });
        node.entered.await();
        AgentException busy = assertThrows(AgentException.class, () -> Operations.handle(one, "cactus-clock", List.of(STATE)));
        assertEquals(Code.BUSY, busy.code());
        node.leave.countDown();
        first.join();
        Operations.handle(one, "cactus-clock", List.of(STATE));
    }

    @Test
    public void anAnswerThatIsTooLargeIsNoAnswer() {
        node.answer = "x".repeat(1_024);
        AgentException refusal = assertThrows(AgentException.class, () -> Operations.handle(operations(1, 1_024), "cactus-invoke",
                List.of(REQUEST, NOW, 1_000L, request(FLOW))));
        assertEquals(Code.RESULT_TOO_LARGE, refusal.code());
    }

    @Test
    public void anObjectThatHoldsItselfEndsAtTheBound() {
        List<Object> endless = new ArrayList<>();
        endless.add(endless);
        node.answer = endless;
        AgentException refusal = assertThrows(AgentException.class,
                () -> ask("cactus-invoke", REQUEST, NOW, 1_000L, request(FLOW)));
        assertTrue(refusal.code() == Code.RESULT_TOO_LARGE || refusal.code() == Code.AGENT_FAILED);
    }

    @Test
    public void numbersThatADoubleDoesNotHoldAreTexts() throws AgentException {
        node.answer = List.of((1L << 53) - 1, 1L << 53, new BigDecimal("10.50"), BigInteger.TWO.pow(64));
        String json = (String) ask("cactus-invoke", REQUEST, NOW, 1_000L, request(FLOW)).get(0);
        assertTrue(json, json.contains("[9007199254740991,\"9007199254740992\",\"10.50\",\"18446744073709551616\"]"));
    }

    @Test
    public void theDiagnosisHasTheShapeOfCactus() throws AgentException, IOException {
        JsonNode node = new ObjectMapper().readTree((String) ask("cactus-node").get(0)).get("nodeDiagnosticInfo");
        assertEquals(12, node.get("platformVersion").intValue());
        assertEquals(32, node.get("cordapps").get(0).get("jarHash").get("size").intValue());
    }

    @Test
    public void settingsHaveBounds() {
        OperationsSettings checked = new OperationsSettings(null, null, null, null, null).checked();
        assertEquals(List.of(), checked.flows());
        assertEquals(983_040, (int) checked.resultBytes());
        List<OperationsSettings> wrong = List.of(new OperationsSettings(List.of("NoPackage"), null, null, null, null),
                new OperationsSettings(null, List.of("a.b;c"), null, null, null),
                new OperationsSettings(null, null, null, 0, null), new OperationsSettings(null, null, null, null, 983_041),
                new OperationsSettings(java.util.Collections.nCopies(257, "a.B"), null, null, null, null),
                new OperationsSettings(null, null, List.of(new OperationsSettings.Buildable("a.B", false, null)), null, null));
        for (OperationsSettings each : wrong) assertThrows(IllegalArgumentException.class, each::checked);
    }
}
