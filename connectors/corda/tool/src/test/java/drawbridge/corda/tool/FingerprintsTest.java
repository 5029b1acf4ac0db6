package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

public class FingerprintsTest {
    private static final Pattern NAME = Pattern.compile("drawbridge\\.corda\\.contract\\.(?:VaultCommands\\$)?([A-Za-z]+)");
    private static final Pattern DESCRIPTOR = Pattern.compile("net\\.corda:([A-Za-z0-9+/]{22}==)");
    /** A schema names a class, then what it is also, then its descriptor. */
    private static final int SCHEMA_REACH = 400;

    @Test
    public void classesHaveTheNamesThatTheyHaveInTransactions() throws IOException {
        Set<String> seen = new HashSet<>();
        try (Stream<Path> files = Files.list(vectors())) {
            for (Path file : files.filter(each -> each.toString().endsWith(".json")).toList()) {
                for (String component : texts(new ObjectMapper().readTree(file.toFile()))) collect(component, seen);
            }
        }
        assertEquals(11, Fingerprints.all().size());
        Fingerprints.all().forEach((name, fingerprint) -> assertTrue(name, seen.contains(name + " " + fingerprint)));
    }

    private static Path vectors() {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("test/vectors"))) here = here.getParent();
        return here.resolve("test/vectors/corda-classes/vault");
    }

    private static void collect(String component, Set<String> seen) {
        Matcher name = NAME.matcher(component);
        while (name.find()) {
            int end = Math.min(component.length(), name.end() + SCHEMA_REACH);
            Matcher descriptor = DESCRIPTOR.matcher(component).region(name.end(), end);
            if (descriptor.find()) seen.add(name.group(1) + " " + descriptor.group(1));
        }
    }

    /** Every string that is bytes, as Latin-1. */
    private static List<String> texts(JsonNode node) {
        if (node.isTextual()) return bytes(node.asText());
        return Stream.iterate(node.elements(), each -> each.hasNext(), each -> each)
                .flatMap(each -> texts(each.next()).stream()).toList();
    }

    private static List<String> bytes(String text) {
        if (text.length() < 100) return List.of();
        byte[] bytes = text.matches("(?:[0-9a-f]{2})*") ? HexFormat.of().parseHex(text) : Base64.getDecoder().decode(text);
        return List.of(new String(bytes, StandardCharsets.ISO_8859_1));
    }
}
