package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.databind.JsonNode;
import drawbridge.corda.agent.AgentException;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Objects out of Cactus's JVM-object form: {@code {jvmTypeKind, jvmType: {fqClassName, constructorName?}, primitiveValue?,
 * jvmCtorArgs?}}. Whoever may name any class and any method runs code of his own in this process, so here are only values of
 * primitive types, lists, sets, parties that the network map knows, and objects of the listed classes, by their public constructors
 * and the factories that are listed with them. One builder builds the arguments of one flow; its bounds hold for all together.
 */
final class ObjectBuilder {
    static final int MAX_DEPTH = 16;
    static final int MAX_OBJECTS = 512;
    static final int MAX_PARTIES = 16;
    /** Of a number's digits and of its scale: written out, it must stay short. */
    private static final int MAX_DIGITS = 100;
    private static final int MAX_BITS = 512;
    private static final Set<String> LISTS = Set.of("java.util.List", "java.util.ArrayList", "java.util.Collection", "java.util.Arrays",
            "kotlin.collections.List");
    private static final Set<String> SETS = Set.of("java.util.Set", "java.util.LinkedHashSet", "kotlin.collections.Set");
    private static final Set<String> PARTIES = Set.of(Party.class.getName(), AbstractParty.class.getName());

    private final AllowedClasses classes;
    private final Parties parties;
    private int objects;
    private int asked;

    /** The network map. */
    interface Parties {
        /** @return null for a name that it does not have. */
        Party named(CordaX500Name name) throws AgentException;
    }

    ObjectBuilder(AllowedClasses classes, Parties parties) {
        this.classes = classes;
        this.parties = parties;
    }

    /** @throws AgentException OPERATION_NOT_ALLOWED, OBJECT_INVALID; what {@link Parties} throws */
    Object build(JsonNode form) throws AgentException {
        return build(form, 1);
    }

    private Object build(JsonNode form, int depth) throws AgentException {
        if (depth > MAX_DEPTH) throw Refusals.object("DEPTH");
        if (++objects > MAX_OBJECTS) throw Refusals.object("OBJECTS");
        JsonNode type = form == null ? null : form.get("jvmType");
        if (type == null || !type.isObject()) throw Refusals.object("FORM");
        String name = Primitives.text(type.get("fqClassName"));
        if (isPresent(type.get("invocationTarget"))) throw Refusals.notAllowed("TARGET");
        String kind = Primitives.text(form.get("jvmTypeKind"));
        if (kind.equals("PRIMITIVE")) return Primitives.of(name, form.get("primitiveValue"));
        if (!kind.equals("REFERENCE")) throw Refusals.object("FORM");
        List<Object> arguments = arguments(form.get("jvmCtorArgs"), depth);
        String factory = isPresent(type.get("constructorName")) ? Primitives.text(type.get("constructorName")) : null;
        // Lists have a factory only by name: "asList" and "of" make what stands here anyway.
        if (LISTS.contains(name)) return new ArrayList<>(arguments);
        if (SETS.contains(name)) return new LinkedHashSet<>(arguments);
        if (Primitives.isArray(name)) return Primitives.array(name, arguments);
        if (PARTIES.contains(name)) return party(arguments);
        AllowedClasses.Rule rule = classes.demand(name);
        return bounded(factory == null ? constructed(rule, arguments) : made(rule, factory, arguments));
    }

    private List<Object> arguments(JsonNode forms, int depth) throws AgentException {
        if (!isPresent(forms)) return List.of();
        if (!forms.isArray()) throw Refusals.object("FORM");
        List<Object> arguments = new ArrayList<>();
        for (JsonNode form : forms) arguments.add(build(form, depth + 1));
        return arguments;
    }

    /** Of a name, or of its text. A key is none: whoever could say key and name could make parties that nobody certified. */
    private Party party(List<Object> arguments) throws AgentException {
        if (arguments.size() != 1) throw Refusals.object("PARTY");
        if (++asked > MAX_PARTIES) throw Refusals.object("PARTIES");
        Object said = arguments.get(0);
        Party party = null;
        if (said instanceof CordaX500Name name) {
            party = parties.named(name);
        } else if (said instanceof String text) {
            try {
                party = parties.named(CordaX500Name.parse(text));
            } catch (IllegalArgumentException noName) {
                throw Refusals.object("PARTY", noName);
            }
        }
        if (party == null) throw Refusals.object("PARTY");
        return party;
    }

    private static Object constructed(AllowedClasses.Rule rule, List<Object> arguments) throws AgentException {
        if (!rule.constructors()) throw Refusals.notAllowed("CONSTRUCTOR");
        List<Constructor<?>> candidates = Arrays.stream(rule.type().getConstructors()).filter(each -> !each.isSynthetic()).toList();
        Constructor<?> constructor = fitting(candidates, arguments);
        return run(() -> constructor.newInstance(arguments.toArray()));
    }

    private static Object made(AllowedClasses.Rule rule, String factory, List<Object> arguments) throws AgentException {
        if (!rule.factories().contains(factory)) throw Refusals.notAllowed("FACTORY");
        List<Method> candidates = Arrays.stream(rule.type().getMethods())
                .filter(method -> AllowedClasses.makes(rule.type(), factory, method)).toList();
        Method method = fitting(candidates, arguments);
        Object made = run(() -> method.invoke(null, arguments.toArray()));
        if (made == null) throw Refusals.object("NOTHING");
        return made;
    }

    private interface Making {
        Object make() throws ReflectiveOperationException;
    }

    private static Object run(Making making) throws AgentException {
        try {
            return making.make();
        } catch (InvocationTargetException refused) {
            if (refused.getCause() instanceof Error fault && !(fault instanceof LinkageError)) throw fault;
            throw Refusals.object("REFUSED", refused);
        } catch (ReflectiveOperationException | IllegalArgumentException impossible) {
            throw Refusals.object("REFUSED", impossible);
        }
    }

    /** The one that takes these arguments; of several the one whose parameters fit all the others too. */
    private static <T extends Executable> T fitting(List<T> candidates, List<Object> arguments) throws AgentException {
        List<T> fitting = candidates.stream().filter(each -> takes(each.getParameterTypes(), arguments)).toList();
        if (fitting.isEmpty()) throw Refusals.object("ARGUMENTS");
        List<T> closest = fitting.stream().filter(each -> fitting.stream().allMatch(other -> isCloser(each, other))).toList();
        if (closest.size() != 1) throw Refusals.object("AMBIGUOUS");
        return closest.get(0);
    }

    private static boolean takes(Class<?>[] parameters, List<Object> arguments) {
        if (parameters.length != arguments.size()) return false;
        for (int i = 0; i < parameters.length; i++) {
            Object argument = arguments.get(i);
            if (argument == null ? parameters[i].isPrimitive() : !boxed(parameters[i]).isInstance(argument)) return false;
        }
        return true;
    }

    private static boolean isCloser(Executable one, Executable other) {
        Class<?>[] ones = one.getParameterTypes();
        Class<?>[] others = other.getParameterTypes();
        for (int i = 0; i < ones.length; i++) {
            if (!boxed(others[i]).isAssignableFrom(boxed(ones[i]))) return false;
        }
        return true;
    }

    private static Class<?> boxed(Class<?> type) {
        return java.lang.invoke.MethodType.methodType(type).wrap().returnType();
    }

    private static Object bounded(Object made) throws AgentException {
        if (made instanceof BigDecimal number && (number.precision() > MAX_DIGITS || Math.abs((long) number.scale()) > MAX_DIGITS)) {
            throw Refusals.object("NUMBER");
        }
        if (made instanceof BigInteger number && number.bitLength() > MAX_BITS) throw Refusals.object("NUMBER");
        return made;
    }

    private static boolean isPresent(JsonNode node) {
        return node != null && !node.isNull();
    }
}
