package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultTerms;
import drawbridge.corda.flow.DescribeVault;
import drawbridge.corda.flow.VaultView;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.CompositeKey;
import net.corda.core.internal.JarSignatureCollector;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.finance.contracts.asset.Cash;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarInputStream;

/** A vault as its party's node has it, in the words of the core's registration. */
final class VaultViews {
    private static final byte HASH = 1;
    private static final int ADDRESS_LENGTH = 20;

    private VaultViews() {
    }

    static ObjectNode describe(CordaRPCOps node, byte[] vaultId) throws ToolException {
        VaultView view = Flows.run(node, DescribeVault.class, vaultId);
        VaultTerms terms = view.getState().getTerms();
        ObjectNode vault = Output.JSON.objectNode();
        vault.put("vaultId", Output.hex(vaultId));
        vault.put("party", Output.hex(view.getState().getVaultParty().getOwningKey().getEncoded()));
        vault.set("constraint", constraint(view.getConstraint(), view.getSigner()));
        vault.put("mode", terms.getMode() == Kind.MODE_ESCROW ? "escrow" : "issue");
        vault.put("currency", terms.getCurrency());
        if (terms.getMode() == Kind.MODE_ESCROW) {
            ObjectNode cash = vault.putObject("cash");
            byte[] code = terms.getCashConstraint();
            cash.set("constraint", constraint(code, code[0] == HASH ? new byte[0] : financeSigner()));
            cash.put("issuerKey", Output.hex(terms.getIssuerKey()));
            cash.put("issuerReference", Output.hex(terms.getIssuerReference()));
        }
        vault.put("permitCapMinor", Long.toString(terms.getPermitCap()));
        vault.put("capWindowSeconds", terms.getCapWindowSeconds());
        vault.set("guardians", guardians(terms));
        vault.put("genesisHash", Output.hex(terms.getGenesisHash()));
        vault.put("serviceId", Output.hex(terms.getServiceId()));
        vault.put("state", Output.ref(view.getRef()));
        ArrayNode permits = vault.putArray("permits");
        for (StateRef permit : view.getPermits()) permits.add(Output.ref(permit));
        ArrayNode coins = vault.putArray("coins");
        for (int i = 0; i < view.getCoins().size(); i++) {
            String amount = Long.toString(view.getCoinAmounts().get(i));
            coins.addObject().put("ref", Output.ref(view.getCoins().get(i))).put("amountMinor", amount);
        }
        vault.set("control", control(view.getState().getControl()));
        return vault;
    }

    private static ObjectNode guardians(VaultTerms terms) {
        ObjectNode guardians = Output.JSON.objectNode();
        ArrayNode addresses = guardians.putArray("addresses");
        byte[] all = terms.getGuardians();
        for (int from = 0; from < all.length; from += ADDRESS_LENGTH) {
            addresses.add(Output.hex(Arrays.copyOfRange(all, from, from + ADDRESS_LENGTH)));
        }
        return guardians.put("threshold", terms.getGuardianThreshold()).put("delaySeconds", terms.getGuardianDelaySeconds());
    }

    private static ObjectNode control(VaultControl control) {
        return Output.JSON.objectNode().put("authority", Output.hex(control.getAuthority())).put("epoch", control.getEpoch())
                .put("guardianNonce", control.getGuardianNonce())
                .put("pausedByAuthority", control.getPausedByAuthority())
                .put("pausedByGuardian", control.getPausedByGuardian())
                .put("proposalNotBefore", control.getProposalNotBefore())
                .put("proposedAuthority", Output.hex(control.getProposedAuthority()));
    }

    /**
     * The whole key where {@code signer} is the one that the name is of; else its hash alone, and whoever registers must find the
     * key. Of cash that is the signers of the finance jar beside this tool.
     */
    private static ObjectNode constraint(byte[] name, byte[] signer) throws ToolException {
        byte[] hash = Arrays.copyOfRange(name, 1, name.length);
        if (name[0] == HASH) return Output.JSON.objectNode().put("kind", "hash").put("attachment", Output.hex(hash));
        ObjectNode signed = Output.JSON.objectNode().put("kind", "signature");
        boolean known = signer.length > 0 && Arrays.equals(sha256(signer), hash);
        return known ? signed.put("key", Output.hex(signer)) : signed.put("keyHash", Output.hex(hash));
    }

    private static byte[] financeSigner() throws ToolException {
        try (JarInputStream jar = new JarInputStream(
                Cash.class.getProtectionDomain().getCodeSource().getLocation().openStream())) {
            List<PublicKey> signers = JarSignatureCollector.INSTANCE.collectSigners(jar);
            return signers.isEmpty() ? new byte[0] : new CompositeKey.Builder().addKeys(signers).build(null).getEncoded();
        } catch (IOException cause) {
            throw new ToolException("FINANCE_MISSING", "the finance jar beside this tool cannot be read", cause);
        }
    }

    private static byte[] sha256(byte[] bytes) throws ToolException {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException missing) {
            throw new ToolException("TOOL_FAILED", "this Java has no SHA-256", missing);
        }
    }
}
