package drawbridge.corda.contract;

/** Why a transaction may not be: a stable code in capitals, then words. The cause of Corda's verification failure. */
public final class Refusal extends IllegalArgumentException {
    private final String code;

    private Refusal(String code, String words) {
        super(code + ": " + words);
        this.code = code;
    }

    public String getCode() {
        return code;
    }

    /** @throws Refusal unless {@code ok}. */
    static void unless(boolean ok, String code, String words) {
        if (!ok) throw new Refusal(code, words);
    }
}
