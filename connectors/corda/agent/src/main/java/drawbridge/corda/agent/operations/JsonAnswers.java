package drawbridge.corda.agent.operations;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import drawbridge.corda.agent.AgentException;
import drawbridge.corda.agent.Code;
import net.corda.client.jackson.JacksonSupport;
import net.corda.core.cordapp.CordappInfo;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.node.NodeDiagnosticInfo;
import net.corda.core.node.NodeInfo;
import net.corda.core.transactions.SignedTransaction;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON of requests and answers. Objects of Corda and of CorDapps are written by Corda's own Jackson module; network map, diagnosis and
 * transactions have the shapes of Cactus's OpenAPI document, which that module does not know.
 */
final class JsonAnswers {
    /** Only reads trees: no class is chosen by what is read. */
    private static final ObjectMapper TREES = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION)
            .build();

    private static final long MAX_EXACT = (1L << 53) - 1;

    private final ObjectMapper objects = JacksonSupport.createNonRpcMapper().disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .disable(SerializationFeature.INDENT_OUTPUT).registerModule(exactNumbers());
    private final int maxBytes;

    /** Whoever reads JSON numbers as doubles must not read another number: what a double may not hold exactly is a text. */
    private static SimpleModule exactNumbers() {
        SimpleModule module = new SimpleModule();
        module.addSerializer(Long.class, writing((number, json) -> {
            if (Math.abs(number) <= MAX_EXACT) json.writeNumber(number);
            else json.writeString(number.toString());
        }));
        module.addSerializer(BigInteger.class, writing((number, json) -> {
            if (number.abs().compareTo(BigInteger.valueOf(MAX_EXACT)) <= 0) json.writeNumber(number);
            else json.writeString(number.toString());
        }));
        return module.addSerializer(BigDecimal.class, writing((number, json) -> json.writeString(number.toPlainString())));
    }

    private interface Writing<T> {
        void write(T value, JsonGenerator json) throws IOException;
    }

    private static <T> JsonSerializer<T> writing(Writing<T> writing) {
        return new JsonSerializer<T>() {
            @Override
            public void serialize(T value, JsonGenerator json, SerializerProvider provider) throws IOException {
                writing.write(value, json);
            }
        };
    }

    /** @param maxBytes of one answer's text. */
    JsonAnswers(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** @throws AgentException OBJECT_INVALID for what is no JSON. */
    static JsonNode read(String text) throws AgentException {
        try {
            return TREES.readTree(text);
        } catch (IOException wrong) {
            throw Refusals.object("JSON", wrong);
        }
    }

    /** @throws AgentException RESULT_TOO_LARGE; AGENT_FAILED for an object that cannot be written. */
    String write(Object value) throws AgentException {
        Bounded bytes = new Bounded(maxBytes);
        try {
            objects.writeValue(bytes, value);
        } catch (IOException | StackOverflowError failed) {
            // The mapper wraps what the stream says, and an object that holds itself may end the stack first.
            if (bytes.isFull) throw new AgentException(Code.RESULT_TOO_LARGE, failed);
            throw new AgentException(Code.AGENT_FAILED, failed instanceof JsonMappingException ? "OBJECT_UNREADABLE" : "", failed);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** What a flow answered: of a transaction what is in the open, of other things themselves. */
    static Object callOutput(Object answer) {
        if (!(answer instanceof SignedTransaction signed)) return answer == null ? "" : answer;
        Map<String, Object> output = new LinkedHashMap<>();
        output.put("id", signed.getId());
        output.put("inputs", signed.getInputs());
        output.put("references", signed.getReferences());
        output.put("notary", signed.getNotary());
        output.put("networkParametersHash", signed.getNetworkParametersHash());
        output.put("requiredSigningKeys", signed.getRequiredSigningKeys());
        return output;
    }

    static List<Object> networkMap(List<NodeInfo> nodes) {
        List<Object> map = new ArrayList<>();
        for (NodeInfo node : nodes) {
            Map<String, Object> shown = new LinkedHashMap<>();
            shown.put("addresses", node.getAddresses().stream()
                    .map(each -> Map.of("host", each.getHost(), "port", each.getPort())).toList());
            List<Object> identities = node.getLegalIdentities().stream().map(JsonAnswers::party).toList();
            shown.put("legalIdentities", identities);
            shown.put("legalIdentitiesAndCerts", identities);
            shown.put("platformVersion", node.getPlatformVersion());
            shown.put("serial", node.getSerial());
            map.add(shown);
        }
        return map;
    }

    private static Object party(Party party) {
        CordaX500Name name = party.getName();
        Map<String, Object> shown = new LinkedHashMap<>();
        putUnlessNull(shown, "commonName", name.getCommonName());
        putUnlessNull(shown, "organisationUnit", name.getOrganisationUnit());
        shown.put("organisation", name.getOrganisation());
        shown.put("locality", name.getLocality());
        putUnlessNull(shown, "state", name.getState());
        shown.put("country", name.getCountry());
        shown.put("x500Principal", Map.of("name", name.getX500Principal().getName(),
                "encoded", base64(name.getX500Principal().getEncoded())));
        Map<String, Object> key = Map.of("algorithm", party.getOwningKey().getAlgorithm(), "format", party.getOwningKey().getFormat(),
                "encoded", base64(party.getOwningKey().getEncoded()));
        return Map.of("name", shown, "owningKey", key);
    }

    static Object diagnosis(NodeDiagnosticInfo node) {
        List<Object> cordapps = node.getCordapps().stream().map(JsonAnswers::cordapp).toList();
        return Map.of("nodeDiagnosticInfo", Map.of("version", node.getVersion(), "revision", node.getRevision(),
                "platformVersion", node.getPlatformVersion(), "vendor", node.getVendor(), "cordapps", cordapps));
    }

    private static Object cordapp(CordappInfo info) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("type", info.getType());
        shown.put("name", info.getName());
        shown.put("shortName", info.getShortName());
        shown.put("minimumPlatformVersion", info.getMinimumPlatformVersion());
        shown.put("targetPlatformVersion", info.getTargetPlatformVersion());
        shown.put("version", info.getVersion());
        shown.put("vendor", info.getVendor());
        shown.put("licence", info.getLicence());
        byte[] hash = info.getJarHash().getBytes();
        shown.put("jarHash", Map.of("bytes", base64(hash), "offset", 0, "size", hash.length));
        return shown;
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static void putUnlessNull(Map<String, Object> shown, String member, Object value) {
        if (value != null) shown.put(member, value);
    }

    private static final class Bounded extends OutputStream {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final int max;
        private boolean isFull;

        private Bounded(int max) {
            this.max = max;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            if (bytes.size() + length > max) {
                isFull = true;
                throw new IOException("more bytes than allowed");
            }
            bytes.write(from, offset, length);
        }

        private String toString(java.nio.charset.Charset charset) {
            return bytes.toString(charset);
        }
    }
}
