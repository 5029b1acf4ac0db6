package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.VaultTerms;
import drawbridge.corda.flow.CashConstraint;
import drawbridge.corda.flow.CreateVault;
import net.corda.core.messaging.CordaRPCOps;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;

/** Makes a vault of the node that is asked. */
final class VaultCreation {
    private static final byte[] NONE = new byte[0];

    private VaultCreation() {
    }

    static ObjectNode create(CordaRPCOps node, Input input) throws ToolException {
        byte[] authority = input.bytes("authority", 20);
        VaultTerms terms = terms(node, input);
        String vault = Flows.run(node, CreateVault.class, terms, authority, Flows.notary(node, input));
        return VaultViews.describe(node, HexFormat.of().parseHex(vault));
    }

    /** What the node and the network map know is taken from there: the cash's constraint, the issuer's key, the root. */
    private static VaultTerms terms(CordaRPCOps node, Input input) throws ToolException {
        boolean escrow = mode(input) == Kind.MODE_ESCROW;
        byte[] constraint = escrow ? HexFormat.of().parseHex(Flows.run(node, CashConstraint.class)) : NONE;
        byte[] issuer = escrow ? Flows.party(node, input.text("issuer")).getOwningKey().getEncoded() : NONE;
        byte[] reference = escrow ? input.bytes("issuerReference") : NONE;
        return new VaultTerms(hashOf(input.text("asset")), input.number("capWindowSeconds"), constraint,
                input.text("currency"), NodeFacts.rootHash(node), input.number("guardianDelaySeconds"),
                (int) input.number("guardianThreshold"), guardians(input.list("guardians")), issuer, reference, mode(input),
                hashOf(input.text("network")), input.number("permitCap"), (int) input.number("permits"),
                input.bytes("serviceId", 32));
    }

    private static int mode(Input input) throws ToolException {
        return switch (input.text("mode")) {
            case "escrow" -> Kind.MODE_ESCROW;
            case "issue" -> Kind.MODE_ISSUE;
            default -> throw new ToolException("ARGUMENTS", "mode must be escrow or issue");
        };
    }

    private static byte[] hashOf(String text) {
        return Bytes.keccak256(Bytes.utf8(text));
    }

    private static byte[] guardians(JsonNode list) throws ToolException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (JsonNode guardian : list) all.writeBytes(Input.bytesOf(guardian, "guardians", 20));
        return all.toByteArray();
    }
}
