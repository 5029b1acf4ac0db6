package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.Issued;
import net.corda.core.contracts.PartyAndReference;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.UniqueIdentifier;
import net.corda.core.crypto.SecureHash;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.utilities.NetworkHostAndPort;
import net.corda.core.utilities.OpaqueBytes;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Currency;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The classes whose objects a request may ask for, and by what. A name is looked up in this list and nowhere else: no name of a
 * request reaches a class loader. The list was loaded when the agent started.
 */
final class AllowedClasses {
    /** Never from a configuration: what the JVM itself brings is chosen here, one by one. */
    private static final List<String> OF_THE_JVM = List.of("java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.");

    private final Map<String, Rule> rules = new HashMap<>();

    /**
     * @param constructors whether its public constructors may be used.
     * @param factories    names of its public static methods that make one.
     */
    record Rule(Class<?> type, boolean constructors, Set<String> factories) {
    }

    /** @throws IllegalArgumentException for a class that is not there, is not public, or is the JVM's own. */
    AllowedClasses(List<OperationsSettings.Buildable> configured) {
        allow(BigDecimal.class, true, "valueOf");
        allow(BigInteger.class, true, "valueOf");
        allow(Currency.class, false, "getInstance");
        allow(UUID.class, true, "fromString");
        allow(Instant.class, false, "parse", "ofEpochMilli", "ofEpochSecond");
        allow(LocalDate.class, false, "parse", "of");
        allow(Duration.class, false, "parse", "ofMillis", "ofSeconds");
        allow(Amount.class, true, "fromDecimal", "parseCurrency");
        allow(Issued.class, true);
        allow(PartyAndReference.class, true);
        allow(OpaqueBytes.class, true, "of");
        allow(UniqueIdentifier.class, true);
        allow(StateRef.class, true);
        allow(SecureHash.class, false, "parse");
        allow(SecureHash.SHA256.class, true);
        allow(CordaX500Name.class, true, "parse");
        allow(NetworkHostAndPort.class, true, "parse");
        for (OperationsSettings.Buildable each : configured) configure(each);
    }

    /** @throws AgentException OPERATION_NOT_ALLOWED for a class that is not in the list. */
    Rule demand(String name) throws AgentException {
        Rule rule = rules.get(name);
        if (rule == null) throw Refusals.notAllowed("CLASS");
        return rule;
    }

    /** @throws IllegalArgumentException where there is none of that name and kind. */
    static <T> Class<? extends T> loaded(String name, Class<T> kind) {
        try {
            return Class.forName(name, false, AllowedClasses.class.getClassLoader()).asSubclass(kind);
        } catch (ClassNotFoundException | LinkageError | ClassCastException wrong) {
            throw new IllegalArgumentException("configuration: operations: " + name + " is not there, or of another kind", wrong);
        }
    }

    private void configure(OperationsSettings.Buildable each) {
        if (OF_THE_JVM.stream().anyMatch(each.name()::startsWith)) {
            throw new IllegalArgumentException("configuration: operations.objects: " + each.name() + " is the JVM's own");
        }
        Class<?> type = loaded(each.name(), Object.class);
        if (!Modifier.isPublic(type.getModifiers())) {
            throw new IllegalArgumentException("configuration: operations.objects: " + each.name() + " is not public");
        }
        for (String factory : each.factories()) {
            if (Arrays.stream(type.getMethods()).noneMatch(method -> makes(type, factory, method))) {
                throw new IllegalArgumentException("configuration: operations.objects: " + each.name() + " has no factory " + factory);
            }
        }
        allow(type, each.constructors(), each.factories().toArray(String[]::new));
    }

    /** Whether the method is a public static one of that name that makes the class it stands in. */
    static boolean makes(Class<?> type, String name, Method method) {
        return method.getName().equals(name) && Modifier.isStatic(method.getModifiers()) && !method.isSynthetic()
                && method.getDeclaringClass() == type && type.isAssignableFrom(method.getReturnType());
    }

    private void allow(Class<?> type, boolean constructors, String... factories) {
        rules.put(type.getName(), new Rule(type, constructors, Set.of(factories)));
    }
}
