package drawbridge.corda.agent.operations;

import java.util.List;

/**
 * What Cactus's operations may touch. Without this section of the configuration there are none; what it does not name is refused.
 *
 * @param flows   classes of flows that may be started.
 * @param states  classes of states that may be read; of a class that others extend, those as well.
 * @param objects classes that may be built as a flow's arguments, besides those that {@link AllowedClasses} always allows.
 * @param atOnce  operations worked on at the same time, of the agent's {@code prefetch}.
 * @param resultBytes the largest JSON text of an answer.
 */
public record OperationsSettings(List<String> flows, List<String> states, List<Buildable> objects, Integer atOnce,
                                 Integer resultBytes) {
    private static final int MAX_NAMES = 256;
    private static final int DEFAULT_AT_ONCE = 4;
    private static final int MAX_AT_ONCE = 32;
    /** With what is around it, less than an envelope holds. */
    private static final int MAX_RESULT_BYTES = 983_040;
    static final String CLASS_NAME = "[A-Za-z_][\\w$]*(\\.[A-Za-z_][\\w$]*)+";

    /**
     * @param constructors whether the public ones may be used.
     * @param factories    public static methods that make one.
     */
    public record Buildable(String name, boolean constructors, List<String> factories) {
        private Buildable checked() {
            demand(name != null && name.matches(CLASS_NAME), "objects.name");
            demand(constructors || (factories != null && !factories.isEmpty()), "objects.factories");
            return new Buildable(name, constructors, names(factories, "[A-Za-z_]\\w*", "objects.factories"));
        }
    }

    /** With defaults. @throws IllegalArgumentException that names what is wrong. */
    public OperationsSettings checked() {
        List<Buildable> named = objects == null ? List.of() : objects;
        demand(named.size() <= MAX_NAMES && named.stream().allMatch(java.util.Objects::nonNull), "objects");
        List<Buildable> buildable = named.stream().map(Buildable::checked).toList();
        return new OperationsSettings(names(flows, CLASS_NAME, "flows"), names(states, CLASS_NAME, "states"), buildable,
                within(atOnce, DEFAULT_AT_ONCE, 1, MAX_AT_ONCE, "atOnce"),
                within(resultBytes, MAX_RESULT_BYTES, 1_024, MAX_RESULT_BYTES, "resultBytes"));
    }

    private static List<String> names(List<String> names, String form, String field) {
        if (names == null) return List.of();
        demand(names.size() <= MAX_NAMES, field);
        for (String name : names) demand(name != null && name.length() <= 255 && name.matches(form), field);
        return List.copyOf(names);
    }

    private static int within(Integer value, int otherwise, int min, int max, String field) {
        int chosen = value == null ? otherwise : value;
        demand(chosen >= min && chosen <= max, field);
        return chosen;
    }

    private static void demand(boolean ok, String field) {
        if (!ok) throw new IllegalArgumentException("configuration: operations." + field + " is missing or out of its bounds");
    }
}
