package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import net.corda.core.identity.Party;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.node.NodeInfo;
import net.corda.core.node.NotaryInfo;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;

/** The node and its network, as a registration names them. */
final class NodeFacts {
    private NodeFacts() {
    }

    static ObjectNode about(CordaRPCOps node) throws ToolException {
        NodeInfo self = node.nodeInfo();
        ObjectNode facts = Output.party(self.getLegalIdentities().get(0));
        facts.put("platformVersion", self.getPlatformVersion());
        facts.put("genesisHash", Output.hex(rootHash(node)));
        ArrayNode notaries = facts.putArray("notaries");
        for (Party notary : node.notaryIdentities()) notaries.add(Output.party(notary));
        ArrayNode parties = facts.putArray("parties");
        for (NodeInfo info : node.networkMapSnapshot()) {
            for (Party party : info.getLegalIdentities()) parties.add(Output.party(party));
        }
        return facts;
    }

    /** The network as the core registers it, but for its id and its connectors. */
    static ObjectNode registration(CordaRPCOps node, Input input) throws ToolException {
        Party notary = Flows.notary(node, input);
        ObjectNode network = Output.JSON.objectNode().put("kind", "corda").put("genesisHash", Output.hex(rootHash(node)));
        ObjectNode finality = network.putObject("finality").put("rule", "corda-notary");
        ObjectNode trusted = finality.putObject("notary");
        trusted.set("name", Output.name(notary.getName()));
        trusted.put("key", Output.hex(notary.getOwningKey().getEncoded())).put("validating", validates(node, notary));
        Fingerprints.all().forEach(finality.putObject("fingerprints")::put);
        return network;
    }

    private static boolean validates(CordaRPCOps node, Party notary) throws ToolException {
        for (NotaryInfo info : node.getNetworkParameters().getNotaries()) {
            if (info.getIdentity().equals(notary)) return info.getValidating();
        }
        throw new ToolException("NOTARY_UNKNOWN", "the network parameters name no such notary");
    }

    /** SHA-256 of the DER of the network's root certificate. @throws ToolException ROOT_UNKNOWN */
    static byte[] rootHash(CordaRPCOps node) throws ToolException {
        List<? extends Certificate> path = node.nodeInfo().getLegalIdentitiesAndCerts().get(0).getCertPath().getCertificates();
        try {
            if (!(path.get(path.size() - 1) instanceof X509Certificate last)
                    || !last.getIssuerX500Principal().equals(last.getSubjectX500Principal())) {
                throw new ToolException("ROOT_UNKNOWN", "the node's certificate path does not end in a root");
            }
            last.verify(last.getPublicKey());
            return MessageDigest.getInstance("SHA-256").digest(last.getEncoded());
        } catch (GeneralSecurityException cause) {
            throw new ToolException("ROOT_UNKNOWN", "the node's root certificate is no good", cause);
        }
    }
}
