package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.VaultNames;
import net.corda.core.identity.Party;
import net.corda.core.node.NodeInfo;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whom a beneficiary word stands for, by the network map; asked again when a word is not in what is known. */
final class Payees {
    private final NodeCalls node;
    private volatile Map<String, Party> known = Map.of();

    Payees(NodeCalls node) {
        this.node = node;
    }

    /** @throws AgentException PAYEE_UNKNOWN unless one party has that key. */
    Party of(byte[] word) throws AgentException {
        String name = Bytes.hex(word);
        if (!known.containsKey(name)) known = byWord(node.call(ops -> ops.networkMapSnapshot()));
        Party party = known.get(name);
        if (party == null) throw new AgentException(Code.PAYEE_UNKNOWN);
        return party;
    }

    /** A key with two names stands for nobody. */
    static Map<String, Party> byWord(List<NodeInfo> nodes) {
        Map<String, Party> parties = new HashMap<>();
        Set<String> doubtful = new HashSet<>();
        for (NodeInfo info : nodes) {
            for (Party party : info.getLegalIdentities()) {
                String word = Bytes.hex(VaultNames.accountWord(party.getOwningKey()));
                Party before = parties.putIfAbsent(word, party);
                if (before != null && !before.getName().equals(party.getName())) doubtful.add(word);
            }
        }
        parties.keySet().removeAll(doubtful);
        return Map.copyOf(parties);
    }
}
