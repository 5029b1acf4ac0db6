package drawbridge.corda.agent.operations;

/** A class as a CorDapp may have one, for tests. */
public final class ProbeTerms {
    static boolean touched;
    private final String how;

    public ProbeTerms(String text) {
        this("new", text);
    }

    public ProbeTerms(StringBuilder other) {
        this("new", other.toString());
    }

    ProbeTerms(Long hidden) {
        this("hidden", hidden.toString());
    }

    private ProbeTerms(String how, String text) {
        touched = true;
        this.how = how + ":" + text;
    }

    public static ProbeTerms of(int number) {
        return new ProbeTerms("of", Integer.toString(number));
    }

    public static ProbeTerms failing() {
        throw new IllegalStateException("words that nobody may read");
    }

    static ProbeTerms hidden() {
        return new ProbeTerms("hidden", "");
    }

    /** Makes another class. */
    public static String other() {
        return "";
    }

    public ProbeTerms member() {
        return this;
    }

    @Override
    public String toString() {
        return how;
    }
}
