package drawbridge.corda.agent;

/** What a command failed with. Code and detail go to the connector; neither says anything of the content. */
final class AgentException extends Exception {
    private static final long serialVersionUID = 1L;
    private final Code code;
    private final String detail;

    AgentException(Code code) {
        this(code, "", null);
    }

    AgentException(Code code, Throwable cause) {
        this(code, "", cause);
    }

    /** @param detail empty, or a code in capitals. */
    AgentException(Code code, String detail, Throwable cause) {
        super(code + (detail.isEmpty() ? "" : " " + detail), cause);
        this.code = code;
        this.detail = detail;
    }

    Code code() {
        return code;
    }

    String detail() {
        return detail;
    }
}
