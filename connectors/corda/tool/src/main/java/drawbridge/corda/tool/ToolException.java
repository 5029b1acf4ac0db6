package drawbridge.corda.tool;

/** What an operator is told: a code in capitals, and words. */
final class ToolException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String code;

    ToolException(String code, String words, Throwable cause) {
        super(words, cause);
        this.code = code;
    }

    ToolException(String code, String words) {
        this(code, words, null);
    }

    String code() {
        return code;
    }
}
