package drawbridge.corda.contract;

/** Numbers of the instructions' kinds on the wire, and of the vaults' modes; a number keeps its meaning for ever. */
public final class Kind {
    public static final int RELEASE = 1;
    public static final int ISSUE = 2;
    public static final int REFUND = 3;
    public static final int VOID = 4;
    public static final int ROTATE = 5;
    public static final int PAUSE = 6;
    public static final int UNPAUSE = 7;

    /** The vault holds finance {@code Cash}. */
    public static final int MODE_ESCROW = 1;
    /** The vault issues a {@link TokenState}. */
    public static final int MODE_ISSUE = 2;

    private Kind() {
    }

    /** Takes a permit and books against the cap. */
    static boolean pays(int kind) {
        return kind == RELEASE || kind == ISSUE || kind == REFUND;
    }

    /** Never expires. */
    static boolean lasts(int kind) {
        return kind == REFUND || kind == VOID || kind == ROTATE;
    }
}
