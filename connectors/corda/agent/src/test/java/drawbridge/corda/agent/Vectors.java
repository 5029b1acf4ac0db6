package drawbridge.corda.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Golden vectors that TypeScript passes too. */
final class Vectors {
    private Vectors() {
    }

    static JsonNode agent() {
        return read("corda-agent.json");
    }

    static JsonNode read(String name) {
        try {
            Path file = Path.of(System.getProperty("basedir", "."), "../../../test/vectors", name);
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }

    static byte[] bytes(JsonNode hex) {
        String text = hex.asText();
        return HexFormat.of().parseHex(text.startsWith("0x") ? text.substring(2) : text);
    }
}
