package drawbridge.corda.agent;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import com.fasterxml.jackson.dataformat.cbor.CBORParser;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Deterministic CBOR (RFC 8949) of lists, texts, byte strings, whole numbers, booleans and null: as Java {@code List},
 * {@code String}, {@code byte[]}, {@code Long} (or {@code Integer}, to write), {@code Boolean}, null.
 */
final class Cbor {
    private static final int MAX_DEPTH = 24;
    private static final CBORFactory FACTORY = new CBORFactory();

    private Cbor() {
    }

    static byte[] encode(Object value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (CBORGenerator generator = FACTORY.createGenerator(bytes)) {
            write(generator, value);
        } catch (IOException impossible) {
            throw new IllegalStateException(impossible);
        }
        return bytes.toByteArray();
    }

    private static void write(CBORGenerator generator, Object value) throws IOException {
        if (value == null) {
            generator.writeNull();
        } else if (value instanceof byte[] bytes) {
            generator.writeBinary(bytes);
        } else if (value instanceof String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            generator.writeUTF8String(utf8, 0, utf8.length);
        } else if (value instanceof Boolean flag) {
            generator.writeBoolean(flag);
        } else if (value instanceof Integer || value instanceof Long) {
            generator.writeNumber(((Number) value).longValue());
        } else if (value instanceof List<?> list) {
            generator.writeStartArray(list, list.size());
            for (Object item : list) write(generator, item);
            generator.writeEndArray();
        } else {
            throw new IllegalArgumentException("no CBOR for " + value.getClass());
        }
    }

    /** @throws IllegalArgumentException for anything but the one encoding of one value within the bound. */
    static Object decode(byte[] input, int maxBytes) {
        if (input.length > maxBytes) throw new IllegalArgumentException("too many bytes");
        try (CBORParser parser = FACTORY.createParser(input)) {
            Object value = read(parser, parser.nextToken(), 0);
            if (Arrays.equals(encode(value), input)) return value;
        } catch (IOException | RuntimeException cause) {
            throw new IllegalArgumentException("not CBOR of ours", cause);
        }
        throw new IllegalArgumentException("not the one encoding");
    }

    private static Object read(CBORParser parser, JsonToken token, int depth) throws IOException {
        if (token == null || depth > MAX_DEPTH) throw new IllegalArgumentException("cut off, or too deep");
        switch (token) {
            case VALUE_NULL: return null;
            case VALUE_TRUE: return true;
            case VALUE_FALSE: return false;
            case VALUE_STRING: return parser.getText();
            case VALUE_NUMBER_INT: return parser.getLongValue();
            case VALUE_EMBEDDED_OBJECT: return parser.getBinaryValue();
            case START_ARRAY:
                List<Object> list = new ArrayList<>();
                for (JsonToken next = parser.nextToken(); next != JsonToken.END_ARRAY; next = parser.nextToken()) {
                    list.add(read(parser, next, depth + 1));
                }
                return list;
            default: throw new IllegalArgumentException("a kind of value that is not used");
        }
    }
}
