package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.GuardianAction;
import drawbridge.corda.contract.RecoverableSignature;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.flow.DescribeVault;
import drawbridge.corda.flow.GuardVault;
import drawbridge.corda.flow.VaultView;
import net.corda.core.messaging.CordaRPCOps;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Locale;

/** Guardians' actions: what each of them signs, and the submission of what they have signed. No key comes near this tool. */
final class Guarding {
    private static final byte[] NONE = new byte[0];

    private Guarding() {
    }

    /** The typed data that any wallet for EIP-712 signs, under the vault's present nonce, and its digest. */
    static ObjectNode message(CordaRPCOps node, Input input) throws ToolException {
        byte[] vaultId = input.bytes("vault", 32);
        int action = action(input);
        if (action == GuardianAction.COMPLETE) throw new ToolException("ARGUMENTS", "nobody signs a completion");
        byte[] authority = authority(input, action);
        VaultView view = Flows.run(node, DescribeVault.class, (Object) vaultId);
        VaultState vault = view.getState();
        ObjectNode answer = Output.JSON.objectNode().put("digest", Output.hex(GuardianAction.digest(vault, action, authority)));
        answer.set("typedData", typedData(action, authority, vault));
        return answer;
    }

    /** Submits it. @throws ToolException with the contract's own code, TOO_EARLY among them. */
    static ObjectNode submit(CordaRPCOps node, Input input) throws ToolException {
        byte[] vaultId = input.bytes("vault", 32);
        int action = action(input);
        byte[] signatures = action == GuardianAction.COMPLETE ? NONE : signatures(input.list("signatures"));
        String done = Flows.run(node, GuardVault.class, vaultId, new Guard(action, authority(input, action), signatures));
        byte[] transaction = HexFormat.of().parseHex(done.toLowerCase(Locale.ROOT));
        return Output.JSON.objectNode().put("transaction", Output.hex(transaction));
    }

    private static int action(Input input) throws ToolException {
        return switch (input.text("action")) {
            case "pause" -> GuardianAction.PAUSE;
            case "unpause" -> GuardianAction.UNPAUSE;
            case "propose" -> GuardianAction.PROPOSE;
            case "complete" -> GuardianAction.COMPLETE;
            case "cancel" -> GuardianAction.CANCEL;
            default -> throw new ToolException("ARGUMENTS", "action must be pause, unpause, propose, complete or cancel");
        };
    }

    private static byte[] authority(Input input, int action) throws ToolException {
        if (action == GuardianAction.PROPOSE) return input.bytes("authority", 20);
        if (input.has("authority")) throw new ToolException("ARGUMENTS", "an authority goes with a proposal only");
        return NONE;
    }

    private static byte[] signatures(JsonNode list) throws ToolException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (JsonNode signature : list) all.writeBytes(Input.bytesOf(signature, "signatures", RecoverableSignature.LENGTH));
        return all.toByteArray();
    }

    static ObjectNode typedData(int action, byte[] authority, VaultState vault) {
        ObjectNode data = Output.JSON.objectNode();
        ObjectNode types = data.putObject("types");
        ArrayNode domain = types.putArray("EIP712Domain");
        field(field(field(domain, "name", "string"), "version", "string"), "salt", "bytes32");
        String name = switch (action) {
            case GuardianAction.PAUSE -> "GuardianPause";
            case GuardianAction.UNPAUSE -> "GuardianUnpause";
            case GuardianAction.PROPOSE -> "GuardianReplaceAuthority";
            default -> "GuardianCancel";
        };
        ArrayNode fields = types.putArray(name);
        ObjectNode message = Output.JSON.objectNode();
        if (action == GuardianAction.PROPOSE) {
            field(fields, "authority", "address");
            message.put("authority", Output.hex(authority));
        }
        field(fields, "nonce", "uint64");
        message.put("nonce", Long.toString(vault.getControl().getGuardianNonce()));
        data.put("primaryType", name);
        data.putObject("domain").put("name", "Drawbridge").put("version", "1")
                .put("salt", Output.hex(vault.getTerms().salt(vault.getVaultId())));
        data.set("message", message);
        return data;
    }

    private static ArrayNode field(ArrayNode fields, String name, String type) {
        fields.addObject().put("name", name).put("type", type);
        return fields;
    }
}
