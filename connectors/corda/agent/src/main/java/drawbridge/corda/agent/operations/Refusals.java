package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;

/** What operations refuse with. A detail names the rule, never what was asked for. */
final class Refusals {
    private Refusals() {
    }

    /** @param detail what the configuration does not name: OFF, FLOW, STATE, CLASS, CONSTRUCTOR, FACTORY, TARGET. */
    static AgentException notAllowed(String detail) {
        return new AgentException(Code.OPERATION_NOT_ALLOWED, detail, null);
    }

    static AgentException object(String detail) {
        return new AgentException(Code.OBJECT_INVALID, detail, null);
    }

    static AgentException object(String detail, Throwable cause) {
        return new AgentException(Code.OBJECT_INVALID, detail, cause);
    }
}
