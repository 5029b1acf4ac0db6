package drawbridge.corda.agent;

/** What a command failed with. Code and detail go to the connector; neither says anything of the content. */
public final class AgentException extends Exception {
    private static final long serialVersionUID = 1L;
    private final Code code;
    private final String detail;

    public AgentException(Code code) {
        this(code, "", null);
    }

    public AgentException(Code code, Throwable cause) {
        this(code, "", cause);
    }

    /** @param detail empty, or a code in capitals. */
    public AgentException(Code code, String detail, Throwable cause) {
        super(code + (detail.isEmpty() ? "" : " " + detail), cause);
        this.code = code;
        this.detail = detail;
    }

    public Code code() {
        return code;
    }

    public String detail() {
        return detail;
    }
}
