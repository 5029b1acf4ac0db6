package drawbridge.corda.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.logging.LogManager;

/** The program. One command and its answer on standard output, or with `serve` many. Exit 1: refused or failed, 2: wrong usage. */
public final class VaultTool {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String USAGE = """
            usage: drawbridge-corda-vault NODES NODE COMMAND [ARGUMENTS]
                   drawbridge-corda-vault NODES serve
            NODES is a file that names nodes, ARGUMENTS a JSON object, or - for one on standard input""";

    private VaultTool() {
    }

    public static void main(String[] words) {
        // Libraries that log, or print, would write between the answers.
        LogManager.getLogManager().reset();
        System.setProperty("org.apache.logging.log4j.level", "OFF");
        PrintStream answers = System.out;
        System.setOut(System.err);
        int status = run(words, answers);
        answers.flush();
        // Threads of the RPC client would keep the program alive.
        System.exit(status);
    }

    private static int run(String[] words, PrintStream answers) {
        boolean serves = words.length == 2 && words[1].equals("serve");
        if (!serves && (words.length < 3 || words.length > 4)) {
            System.err.println(USAGE);
            return 2;
        }
        try (Nodes nodes = new Nodes(NodesFile.read(Path.of(words[0])))) {
            if (serves) {
                new Service(nodes).run(System.in, answers);
                return 0;
            }
            Input input = new Input(arguments(words.length == 4 ? words[3] : "{}"));
            JsonNode answer = nodes.with(words[1], node -> Commands.run(node, words[2], input));
            answers.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(answer));
            return 0;
        } catch (ToolException refused) {
            System.err.println(refused.code() + ": " + refused.getMessage());
            return refused.code().equals("CONFIGURATION") || refused.code().equals("ARGUMENTS") ? 2 : 1;
        } catch (Exception broken) {
            System.err.println("TOOL_FAILED: " + broken);
            return 1;
        }
    }

    private static JsonNode arguments(String text) throws ToolException, IOException {
        String json = text.equals("-") ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8) : text;
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException cause) {
            throw new ToolException("ARGUMENTS", "the arguments are no JSON", cause);
        }
    }
}
