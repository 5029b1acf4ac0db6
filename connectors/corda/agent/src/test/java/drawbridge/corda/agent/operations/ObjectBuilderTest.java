package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.UniqueIdentifier;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.SecureHash;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.utilities.OpaqueBytes;
import org.junit.Before;
import org.junit.Test;

import java.math.BigDecimal;
import java.util.Currency;
import java.util.List;
import java.util.Set;
import java.util.UUID;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;

public class ObjectBuilderTest {
    private static final CordaX500Name BANK = CordaX500Name.parse("O=Bank,L=London,C=GB");
    private static final Party PARTY = new Party(BANK, Crypto.generateKeyPair().getPublic());
    private static final String PROBE = ProbeTerms.class.getName();

    @Before
    public void untouched() {
        ProbeTerms.touched = false;
    }

    private static AllowedClasses allowed(boolean constructors, String... factories) {
        return new AllowedClasses(List.of(new OperationsSettings.Buildable(PROBE, constructors, List.of(factories))));
    }

    private static Object build(AllowedClasses classes, String json) throws AgentException {
        return new ObjectBuilder(classes, name -> name.equals(BANK) ? PARTY : null).build(JsonAnswers.read(json));
    }

    private static Object build(String json) throws AgentException {
        return build(allowed(true, "of", "failing"), json);
    }

    private static void refused(Code code, String detail, AllowedClasses classes, String json) {
        AgentException refusal = assertThrows(json, AgentException.class, () -> build(classes, json));
        assertEquals(json, code, refusal.code());
        assertEquals(json, detail, refusal.detail());
    }

    private static void refused(Code code, String detail, String json) {
        refused(code, detail, allowed(true, "of", "failing"), json);
    }

    static String primitive(String type, String value) {
        return """
                {"jvmTypeKind": "PRIMITIVE", "jvmType": {"fqClassName": "%s"}, "primitiveValue": %s}""".formatted(type, value);
    }

    static String text(String value) {
        return primitive("java.lang.String", '"' + value + '"');
    }

    static String object(String type, String... arguments) {
        return """
                {"jvmTypeKind": "REFERENCE", "jvmType": {"fqClassName": "%s"}, "jvmCtorArgs": [%s]}"""
                .formatted(type, String.join(",", arguments));
    }

    static String by(String factory, String type, String... arguments) {
        return """
                {"jvmTypeKind": "REFERENCE", "jvmType": {"fqClassName": "%s", "constructorName": "%s"}, "jvmCtorArgs": [%s]}"""
                .formatted(type, factory, String.join(",", arguments));
    }

    @Test
    public void primitivesHaveTheTypeThatIsSaid() throws AgentException {
        assertEquals(7, build(primitive("int", "7")));
        assertEquals(Long.MAX_VALUE, build(primitive("java.lang.Long", "\"9223372036854775807\"")));
        assertEquals((byte) -1, build(primitive("byte", "-1")));
        assertEquals((short) 3, build(primitive("kotlin.Short", "3")));
        assertEquals(1.5, build(primitive("double", "1.5")));
        assertEquals(0.5f, build(primitive("float", "\"0.5\"")));
        assertEquals('x', build(primitive("char", "\"x\"")));
        assertEquals(true, build(primitive("boolean", "true")));
        assertEquals("words", build(text("words")));
        assertNull(build(primitive("java.lang.String", "null")));
    }

    @Test
    public void nothingIsRoundedOrCut() {
        for (String[] each : new String[][] {{"byte", "128"}, {"int", "2147483648"}, {"long", "9223372036854775808"}, {"int", "1.5"},
            {"long", "1e999999999"}, {"long", "\"1e999999999\""}, {"short", "true"}, {"double", "1e400"}, {"double", "\"1e400\""}, {"float", "1e39"}, {"int", "\"x\""},
            {"long", "\"" + "0".repeat(64) + "1\""}}) {
            refused(Code.OBJECT_INVALID, "NUMBER", primitive(each[0], each[1]));
        }
        refused(Code.OBJECT_INVALID, "BOOLEAN", primitive("boolean", "1"));
        refused(Code.OBJECT_INVALID, "CHARACTER", primitive("char", "\"xy\""));
        refused(Code.OBJECT_INVALID, "TEXT", primitive("java.lang.String", "5"));
        refused(Code.OBJECT_INVALID, "TEXT", text("x".repeat(4_097)));
    }

    @Test
    public void objectsThatFlowsOfCordaTake() throws AgentException {
        String dollars = by("getInstance", "java.util.Currency", text("USD"));
        assertEquals(new Amount<>(1_050, Currency.getInstance("USD")), build(by("fromDecimal", "net.corda.core.contracts.Amount",
                object("java.math.BigDecimal", text("10.50")), dollars)));
        assertEquals(new Amount<>(7, Currency.getInstance("USD")),
                build(object("net.corda.core.contracts.Amount", primitive("long", "7"), dollars)));
        assertEquals(new OpaqueBytes(new byte[] {1, -1}), build(object("net.corda.core.utilities.OpaqueBytes",
                object("byte[]", primitive("byte", "1"), primitive("byte", "-1")))));
        UUID uuid = new UUID(1, 2);
        assertEquals(new UniqueIdentifier("x", uuid), build(object("net.corda.core.contracts.UniqueIdentifier", text("x"),
                by("fromString", "java.util.UUID", text(uuid.toString())))));
        SecureHash.SHA256 hash = SecureHash.sha256("x");
        assertEquals(hash, build(by("parse", "net.corda.core.crypto.SecureHash", text(hash.toString()))));
        assertEquals(BANK, build(by("parse", "net.corda.core.identity.CordaX500Name", text(BANK.toString()))));
        assertEquals(List.of(1, "a"), build(by("asList", "java.util.Arrays", primitive("int", "1"), text("a"))));
        assertEquals(Set.of("a"), build(object("java.util.Set", text("a"), text("a"))));
        assertArrayEquals(new long[] {5}, (long[]) build(object("long[]", primitive("long", "5"))));
    }

    @Test
    public void partiesAreThoseOfTheNetworkMap() throws AgentException {
        String party = Party.class.getName();
        assertSame(PARTY, build(object(party, text(BANK.toString()))));
        assertSame(PARTY, build(object("net.corda.core.identity.AbstractParty",
                by("parse", "net.corda.core.identity.CordaX500Name", text(BANK.toString())))));
        refused(Code.OBJECT_INVALID, "PARTY", object(party, text("O=Nobody,L=London,C=GB")));
        refused(Code.OBJECT_INVALID, "PARTY", object(party, text("Bank")));
        refused(Code.OBJECT_INVALID, "PARTY", object(party, text(BANK.toString()), text("key")));
        refused(Code.OBJECT_INVALID, "PARTY", object(party, primitive("int", "1")));
        String many = String.join(",", java.util.Collections.nCopies(ObjectBuilder.MAX_PARTIES + 1, object(party, text(BANK.toString()))));
        refused(Code.OBJECT_INVALID, "PARTIES", object("java.util.List", many));
    }

    @Test
    public void noOtherClassIsBuiltOrEvenLoaded() {
        AllowedClasses none = new AllowedClasses(List.of());
        for (String name : List.of("java.lang.ProcessBuilder", "java.io.File", "java.net.URL", "javax.script.ScriptEngineManager",
                "net.corda.core.utilities.UntrustworthyData", "no.such.Thing", "java.lang.String", PROBE)) {
            refused(Code.OPERATION_NOT_ALLOWED, "CLASS", none, object(name, text("x")));
        }
        refused(Code.OPERATION_NOT_ALLOWED, "CLASS", none, primitive("java.lang.Object", "1"));
        refused(Code.OPERATION_NOT_ALLOWED, "CLASS", none, by("getRuntime", "java.lang.Runtime"));
        assertFalse(ProbeTerms.touched);
    }

    @Test
    public void aConfiguredClassIsBuiltByWhatTheConfigurationSays() throws AgentException {
        assertEquals("new:x", build(object(PROBE, text("x"))).toString());
        assertEquals("of:3", build(by("of", PROBE, primitive("int", "3"))).toString());
        refused(Code.OPERATION_NOT_ALLOWED, "CONSTRUCTOR", allowed(false, "of"), object(PROBE, text("x")));
        refused(Code.OPERATION_NOT_ALLOWED, "FACTORY", allowed(true), by("of", PROBE, primitive("int", "3")));
    }

    @Test
    public void onlyWhatIsPublicMakesAnObject() {
        refused(Code.OBJECT_INVALID, "ARGUMENTS", object(PROBE, primitive("long", "1")));
        for (String method : List.of("hidden", "member", "other")) {
            assertThrows(IllegalArgumentException.class, () -> allowed(false, method));
        }
        refused(Code.OPERATION_NOT_ALLOWED, "FACTORY", by("getClass", PROBE));
        refused(Code.OPERATION_NOT_ALLOWED, "FACTORY", by("member", PROBE));
    }

    @Test
    public void methodsOfObjectsAreNotCalled() {
        String target = """
                {"jvmTypeKind": "REFERENCE", "jvmType": {"fqClassName": "%s", "constructorName": "of", "invocationTarget": %s},
                 "jvmCtorArgs": [%s]}""".formatted(PROBE, object(PROBE, text("x")), primitive("int", "1"));
        refused(Code.OPERATION_NOT_ALLOWED, "TARGET", target);
    }

    @Test
    public void whatTheJvmBringsCannotBeConfigured() {
        for (String name : List.of("java.lang.ProcessBuilder", "javax.script.ScriptEngineManager", "sun.misc.Unsafe",
                "jdk.internal.misc.Unsafe", "com.sun.rowset.JdbcRowSetImpl", "kotlin.io.FilesKt", "no.such.Thing",
                "drawbridge.corda.agent.operations.Primitives")) {
            assertThrows(name, IllegalArgumentException.class,
                    () -> new AllowedClasses(List.of(new OperationsSettings.Buildable(name, true, List.of()))));
        }
    }

    @Test
    public void depthAndNumberAreBounded() throws AgentException {
        String deep = text("x");
        for (int i = 1; i < ObjectBuilder.MAX_DEPTH; i++) deep = object("java.util.List", deep);
        build(deep);
        refused(Code.OBJECT_INVALID, "DEPTH", object("java.util.List", deep));
        String[] many = java.util.Collections.nCopies(ObjectBuilder.MAX_OBJECTS - 1, primitive("int", "1")).toArray(String[]::new);
        assertEquals(ObjectBuilder.MAX_OBJECTS - 1, ((List<?>) build(object("java.util.List", many))).size());
        refused(Code.OBJECT_INVALID, "OBJECTS", object("java.util.List", String.join(",", many), primitive("int", "1")));
    }

    @Test
    public void numbersStayShortWhenWrittenOut() throws AgentException {
        assertEquals(new BigDecimal("1e-100"), build(object("java.math.BigDecimal", text("1e-100"))));
        refused(Code.OBJECT_INVALID, "NUMBER", object("java.math.BigDecimal", text("1e999999999")));
        refused(Code.OBJECT_INVALID, "NUMBER", object("java.math.BigDecimal", text("1" + "0".repeat(100))));
        refused(Code.OBJECT_INVALID, "NUMBER", object("java.math.BigInteger", text("1" + "0".repeat(300))));
    }

    @Test
    public void argumentsMustFitOneWay() {
        refused(Code.OBJECT_INVALID, "ARGUMENTS", object(PROBE, primitive("int", "1"), primitive("int", "1")));
        refused(Code.OBJECT_INVALID, "AMBIGUOUS", object(PROBE, primitive("java.lang.String", "null")));
        refused(Code.OBJECT_INVALID, "REFUSED", by("failing", PROBE));
        refused(Code.OBJECT_INVALID, "REFUSED", by("getInstance", "java.util.Currency", text("NONE")));
        refused(Code.OBJECT_INVALID, "ARRAY", object("byte[]", primitive("int", "1")));
    }

    @Test
    public void anotherFormIsRefused() {
        for (String json : List.of("5", "null", "{}", "[]", "{\"jvmType\": 5}", primitive("int", "1").replace("PRIMITIVE", "OTHER"),
                object("java.util.List").replace("[]", "{}"))) {
            refused(Code.OBJECT_INVALID, "FORM", json);
        }
        for (String json : List.of("{", "{} {}", "{\"a\": 1, \"a\": 2}", "NaN")) {
            AgentException refusal = assertThrows(json, AgentException.class, () -> JsonAnswers.read(json));
            assertEquals(json, "JSON", refusal.detail());
        }
    }
}
