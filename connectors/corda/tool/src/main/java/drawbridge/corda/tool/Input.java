package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.JsonNode;

import java.util.HexFormat;

/** Arguments of a command by name. Bytes are hex with 0x; numbers may stand as text, since JSON's are not exact above 2^53. */
final class Input {
    private final JsonNode fields;

    /** @throws ToolException ARGUMENTS */
    Input(JsonNode fields) throws ToolException {
        if (!fields.isObject()) throw new ToolException("ARGUMENTS", "the arguments are no JSON object");
        this.fields = fields;
    }

    boolean has(String name) {
        return fields.hasNonNull(name);
    }

    String text(String name) throws ToolException {
        JsonNode value = fields.path(name);
        if (!value.isTextual() || value.asText().isEmpty()) throw wrong(name, "a text");
        return value.asText();
    }

    byte[] bytes(String name) throws ToolException {
        return parsed(text(name), name);
    }

    byte[] bytes(String name, int length) throws ToolException {
        return bytesOf(fields.path(name), name, length);
    }

    /** Of one of a list's items. @param name of the list */
    static byte[] bytesOf(JsonNode value, String name, int length) throws ToolException {
        byte[] bytes = parsed(value.asText(), name);
        if (bytes.length != length) throw wrong(name, length + " bytes in hex");
        return bytes;
    }

    private static byte[] parsed(String text, String name) throws ToolException {
        if (!text.matches("0x([0-9a-fA-F]{2})*")) throw wrong(name, "hex with 0x");
        return HexFormat.of().parseHex(text.substring(2));
    }

    /** A whole number from 0 on. */
    long number(String name) throws ToolException {
        JsonNode value = fields.path(name);
        boolean whole = value.isIntegralNumber() || value.isTextual();
        if (!whole || !value.asText().matches("[0-9]{1,18}")) throw wrong(name, "a whole number below 10^18");
        return Long.parseLong(value.asText());
    }

    JsonNode list(String name) throws ToolException {
        JsonNode value = fields.path(name);
        if (!value.isArray()) throw wrong(name, "a list");
        return value;
    }

    private static ToolException wrong(String name, String wanted) {
        return new ToolException("ARGUMENTS", name + " must be " + wanted);
    }
}
