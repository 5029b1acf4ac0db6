package drawbridge.corda.agent;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Bodies as they are before sealing. Their form: docs/corda-agent-protocol.md. */
final class Bodies {
    static final int MAX_COMMAND_BYTES = 8_192;
    private static final long VERSION = 1;

    private Bodies() {
    }

    record Command(String verb, List<?> arguments) {
    }

    static Command command(byte[] body) throws AgentException {
        try {
            if (Cbor.decode(body, MAX_COMMAND_BYTES) instanceof List<?> parts && parts.size() == 3
                    && Long.valueOf(VERSION).equals(parts.get(0))
                    && parts.get(1) instanceof String verb && parts.get(2) instanceof List<?> arguments) {
                return new Command(verb, Collections.unmodifiableList(arguments));
            }
        } catch (IllegalArgumentException cause) {
            throw new AgentException(Code.COMMAND_INVALID, cause);
        }
        throw Arguments.invalid();
    }

    static byte[] result(List<?> result) {
        return Cbor.encode(List.of(VERSION, true, result));
    }

    static byte[] error(AgentException error) {
        return Cbor.encode(List.of(VERSION, false, error.code().name(), error.detail()));
    }

    /** @param evidence empty where it could not be made. */
    static byte[] event(byte[] vault, byte[] transaction, long recordedAtMs, byte[] evidence) {
        return Cbor.encode(List.of(VERSION, vault, transaction, recordedAtMs, evidence));
    }

    static byte[] health(byte[] instance, long sequence, HealthFacts facts) {
        return Cbor.encode(Arrays.asList(VERSION, instance, sequence, facts.sinceMs(), facts.nodeUp(), facts.cursorMs(),
                facts.inFlight(), facts.platformVersion(), facts.lastError()));
    }

    /** @param lastError a {@link Code}, or empty. */
    record HealthFacts(long sinceMs, boolean nodeUp, long cursorMs, int inFlight, int platformVersion, String lastError) {
    }
}
