package drawbridge.corda.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Commands as JSON lines, several at once, and an answer each, in any order: {@code {"id", "node", "command", "arguments"}} gives
 * {@code {"id", "result"}} or {@code {"id", "code", "message"}}. Ends with its input.
 */
final class Service {
    private static final int AT_ONCE = 8;
    private static final int MAX_LINE = 65_536;
    private static final long DRAIN_SECONDS = 30;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Nodes nodes;

    Service(Nodes nodes) {
        this.nodes = nodes;
    }

    void run(InputStream in, PrintStream out) throws IOException, InterruptedException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        ExecutorService workers = Executors.newFixedThreadPool(AT_ONCE);
        say(out, "{\"ready\":true}");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String asked = line;
            workers.execute(() -> say(out, answer(asked).toString()));
        }
        workers.shutdown();
        workers.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS);
    }

    private ObjectNode answer(String line) {
        ObjectNode answer = Output.JSON.objectNode();
        try {
            if (line.length() > MAX_LINE) throw new ToolException("ARGUMENTS", "the line is too long");
            JsonNode asked = JSON.readTree(line);
            answer.set("id", asked.path("id"));
            Input request = new Input(asked);
            Input input = new Input(asked.path("arguments"));
            String command = request.text("command");
            answer.set("result", nodes.with(request.text("node"), node -> Commands.run(node, command, input)));
        } catch (ToolException refused) {
            answer.put("code", refused.code()).put("message", refused.getMessage());
        } catch (JsonProcessingException cause) {
            answer.put("code", "ARGUMENTS").put("message", "the line is no JSON");
        } catch (Exception fault) {
            // Every line is answered, whatever Corda's client throws undeclared.
            answer.put("code", "TOOL_FAILED").put("message", String.valueOf(fault));
        }
        return answer;
    }

    private static void say(PrintStream out, String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }
}
