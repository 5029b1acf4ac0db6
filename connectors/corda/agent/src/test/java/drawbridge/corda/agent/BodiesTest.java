package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.Test;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

public class BodiesTest {
    private static final JsonNode VECTORS = Vectors.agent();

    private static byte[] filled(int length, int with) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) with);
        return bytes;
    }

    private static Code refusal(byte[] body) {
        return assertThrows(AgentException.class, () -> Bodies.command(body)).code();
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    @Test
    public void commandsAreReadAndEncodeToTheVerySameBytes() throws AgentException {
        for (String verb : new String[]{"execute", "status", "follow"}) {
            byte[] body = Vectors.bytes(VECTORS.get("commands").get(verb));
            Bodies.Command command = Bodies.command(body);
            assertEquals(verb, command.verb());
            assertArrayEquals(body, Cbor.encode(List.of(1, verb, command.arguments())));
        }
    }

    @Test
    public void repliesEventsAndHealthAreThoseOfTypeScript() {
        assertArrayEquals(Vectors.bytes(VECTORS.at("/replies/result")), Bodies.result(List.of(filled(32, 6), true)));
        assertArrayEquals(Vectors.bytes(VECTORS.at("/replies/error")),
                Bodies.error(new AgentException(Code.REFUSED, "EXPIRED", null)));
        assertArrayEquals(Vectors.bytes(VECTORS.get("event")),
                Bodies.event(filled(32, 9), filled(32, 6), 1_700_000_000_123L, new byte[]{7, 7}));
        assertArrayEquals(Vectors.bytes(VECTORS.get("health")), Bodies.health(filled(16, 5), 3,
                new Bodies.HealthFacts(1_700_000_000_000L, true, 1_700_000_000_123L, 2, 12, "FLOW_PENDING")));
    }

    @Test
    public void whatIsNotACommandIsRefused() {
        for (Object other : new Object[]{List.of(2, "status", List.of()), List.of(1, "status"), List.of(1, 1, List.of()),
            List.of(1, "status", "x"), List.of(1, "status", List.of(), 1), "status"}) {
            assertEquals(Code.COMMAND_INVALID, refusal(Cbor.encode(other)));
        }
    }

    @Test
    public void onlyTheOneEncodingWithinTheBoundIsRead() {
        // In turn: long integer, indefinite list, trailing byte, cut off, map, tag, float, undefined, nothing.
        for (String body : new String[]{"83180163616263" + "80", "9f016361626380ff", "8301636162638000", "830163616263",
            "830163616263a0", "83c1016361626380", "83f93c006361626380", "83f76361626380", ""}) {
            assertEquals(body, Code.COMMAND_INVALID, refusal(hex(body)));
        }
        assertEquals(Code.COMMAND_INVALID, refusal(filled(Bodies.MAX_COMMAND_BYTES, 0x81)));
        assertEquals(Code.COMMAND_INVALID, refusal(Cbor.encode(List.of(1, "a", List.of(filled(Bodies.MAX_COMMAND_BYTES, 1))))));
    }

    @Test
    public void argumentsKeepTheirBounds() throws AgentException {
        byte[] low = filled(36, 0);
        byte[] high = filled(36, 1);
        assertEquals(2, new Arguments(List.of(List.of(low, high)), 1).refs(2, true).size());
        for (List<?> refs : List.of(List.of(high, low), List.of(low, low), List.of(), List.of(low, high, filled(36, 2)),
                List.of(filled(35, 0)), List.of(filled(36, 255)))) {
            assertThrows(AgentException.class, () -> new Arguments(List.of(refs), 1).refs(2, true));
        }
        assertThrows(AgentException.class, () -> new Arguments(List.of(filled(31, 0)), 1).word());
        assertThrows(AgentException.class, () -> new Arguments(List.of(-1L), 1).number(5));
        assertThrows(AgentException.class, () -> new Arguments(List.of(6L), 1).number(5));
        assertThrows(AgentException.class, () -> new Arguments(List.of(6L), 2));
    }
}
