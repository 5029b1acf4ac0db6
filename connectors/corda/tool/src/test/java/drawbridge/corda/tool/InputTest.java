package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

public class InputTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private static Input of(String json) throws IOException, ToolException {
        return new Input(new ObjectMapper().readTree(json));
    }

    @Test
    public void argumentsAreReadExactlyAndNothingElseIs() throws IOException, ToolException {
        Input input = of("{\"a\": 9007199254740993, \"b\": \"12\", \"c\": \"0x0aFF\", \"d\": 1.5, \"e\": -1, \"f\": \"0x1\"}");
        assertEquals(9_007_199_254_740_993L, input.number("a"));
        assertEquals(12, input.number("b"));
        assertArrayEquals(new byte[]{10, -1}, input.bytes("c", 2));
        for (String name : new String[]{"d", "e", "c", "absent"}) {
            assertEquals("ARGUMENTS", assertThrows(ToolException.class, () -> input.number(name)).code());
        }
        assertThrows(ToolException.class, () -> input.bytes("c", 3));
        assertEquals("ARGUMENTS", assertThrows(ToolException.class, () -> input.bytes("absent", 0)).code());
        assertArrayEquals(new byte[]{1}, Input.bytesOf(of("{\"g\": [\"0x01\"]}").list("g").get(0), "g", 1));
        assertThrows(ToolException.class, () -> input.bytes("f"));
        assertThrows(ToolException.class, () -> of("[]"));
    }

    @Test
    public void nodesAreWholeAndTheirFilesBesideTheFile() throws IOException, ToolException {
        Path file = folder.getRoot().toPath().resolve("nodes.json");
        Files.writeString(file, "{\"nodes\":{\"bank\":{\"host\":\"h\",\"port\":1,\"user\":\"u\",\"passwordFile\":\"p\"}}}");
        Files.writeString(folder.getRoot().toPath().resolve("p"), "secret\n");
        NodesFile.Node node = NodesFile.read(file).named("bank");
        assertEquals("secret", NodesFile.secret(node.passwordFile()));
        assertEquals("NODE_UNKNOWN", assertThrows(ToolException.class, () -> NodesFile.read(file).named("other")).code());
        for (String wrong : new String[]{"{\"nodes\":{\"bank\":{\"host\":\"h\"}}}", "{}", "{\"other\":1}", "nodes"}) {
            Files.writeString(file, wrong);
            assertEquals("CONFIGURATION", assertThrows(ToolException.class, () -> NodesFile.read(file)).code());
        }
    }

    @Test
    public void everyLineIsAnsweredAlsoWhereItMakesNoSense() throws IOException, InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        String lines = "no json\n[]\n{\"id\":7,\"node\":\"x\",\"command\":\"about\",\"arguments\":{}}\n{\"id\":8,\"arguments\":{}}\n";
        new Service(new Nodes(new NodesFile(Map.of()))).run(
                new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)), new PrintStream(out));
        String said = out.toString(StandardCharsets.UTF_8);
        assertTrue(said, said.startsWith("{\"ready\":true}\n"));
        assertEquals(said, 5, said.split("\n").length);
        assertTrue(said, said.contains("{\"id\":7,\"code\":\"NODE_UNKNOWN\""));
        assertTrue(said, said.contains("{\"id\":8,\"code\":\"ARGUMENTS\""));
    }
}
