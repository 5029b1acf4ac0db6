package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.databind.JsonNode;
import drawbridge.corda.agent.AgentException;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/**
 * Values of the JVM's primitive types and texts. Whole numbers come as JSON numbers or, above 2^53, as texts; nothing is rounded
 * or cut.
 */
final class Primitives {
    private static final int MAX_TEXT_CHARS = 4_096;
    private static final int MAX_NUMBER_CHARS = 64;
    private static final Map<String, Class<?>> ARRAYS = Map.of("byte[]", byte.class, "char[]", char.class, "short[]", short.class,
            "int[]", int.class, "long[]", long.class, "float[]", float.class, "double[]", double.class, "boolean[]", boolean.class);

    private Primitives() {
    }

    /** @param name of the JVM's type, of its box, or of Kotlin's. @throws AgentException OBJECT_INVALID, OPERATION_NOT_ALLOWED */
    static Object of(String name, JsonNode value) throws AgentException {
        switch (name) {
            case "java.lang.String", "kotlin.String", "String": return value == null || value.isNull() ? null : text(value);
            case "boolean", "java.lang.Boolean", "kotlin.Boolean": return flag(value);
            case "byte", "java.lang.Byte", "kotlin.Byte": return (byte) whole(value, Byte.MIN_VALUE, Byte.MAX_VALUE);
            case "short", "java.lang.Short", "kotlin.Short": return (short) whole(value, Short.MIN_VALUE, Short.MAX_VALUE);
            case "int", "java.lang.Integer", "kotlin.Int": return (int) whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "long", "java.lang.Long", "kotlin.Long": return whole(value, Long.MIN_VALUE, Long.MAX_VALUE);
            case "float", "java.lang.Float", "kotlin.Float": return finite(number(value).floatValue());
            case "double", "java.lang.Double", "kotlin.Double": return finite(number(value).doubleValue());
            case "char", "java.lang.Character", "kotlin.Char": return character(value);
            default: throw Refusals.notAllowed("CLASS");
        }
    }

    static boolean isArray(String name) {
        return ARRAYS.containsKey(name);
    }

    /** @param items boxed values of the array's own type. @throws AgentException OBJECT_INVALID */
    static Object array(String name, List<?> items) throws AgentException {
        Object array = Array.newInstance(ARRAYS.get(name), items.size());
        try {
            for (int i = 0; i < items.size(); i++) Array.set(array, i, items.get(i));
        } catch (IllegalArgumentException | NullPointerException other) {
            throw Refusals.object("ARRAY", other);
        }
        return array;
    }

    static String text(JsonNode value) throws AgentException {
        if (value == null || !value.isTextual() || value.textValue().length() > MAX_TEXT_CHARS) throw Refusals.object("TEXT");
        return value.textValue();
    }

    private static boolean flag(JsonNode value) throws AgentException {
        if (value == null || !value.isBoolean()) throw Refusals.object("BOOLEAN");
        return value.booleanValue();
    }

    private static char character(JsonNode value) throws AgentException {
        if (value == null || !value.isTextual() || value.textValue().length() != 1) throw Refusals.object("CHARACTER");
        return value.textValue().charAt(0);
    }

    private static long whole(JsonNode value, long min, long max) throws AgentException {
        BigDecimal number = number(value);
        try {
            long exact = number.longValueExact();
            if (exact >= min && exact <= max) return exact;
        } catch (ArithmeticException outside) {
            throw Refusals.object("NUMBER", outside);
        }
        throw Refusals.object("NUMBER");
    }

    private static float finite(float number) throws AgentException {
        if (Float.isInfinite(number)) throw Refusals.object("NUMBER");
        return number;
    }

    private static double finite(double number) throws AgentException {
        if (Double.isInfinite(number)) throw Refusals.object("NUMBER");
        return number;
    }

    private static BigDecimal number(JsonNode value) throws AgentException {
        if (value == null || !(value.isNumber() || value.isTextual())) throw Refusals.object("NUMBER");
        // The reader makes an infinite double of what is past one.
        if (value.isDouble() && !Double.isFinite(value.doubleValue())) throw Refusals.object("NUMBER");
        if (value.isNumber()) return value.decimalValue();
        String text = value.textValue();
        if (text.length() > MAX_NUMBER_CHARS) throw Refusals.object("NUMBER");
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException wrong) {
            throw Refusals.object("NUMBER", wrong);
        }
    }
}
