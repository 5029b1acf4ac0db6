package drawbridge.corda.agent;

import drawbridge.corda.contract.VaultPart;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.crypto.SecureHash;
import net.corda.core.node.services.Vault;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Transactions that the node's news named and nobody looked at yet, each once, in the order of the news. At most {@link #MOST}: what
 * comes beyond is found by the look at everything. Safe for several threads.
 */
final class NamedTransactions {
    static final int MOST = 1_000;

    private final ServedVaults vaults;
    private final Map<SecureHash, Named> waiting = new LinkedHashMap<>();

    NamedTransactions(ServedVaults vaults) {
        this.vaults = vaults;
    }

    /** @param heardAtMs by the agent's clock. */
    record Named(SecureHash transaction, byte[] vault, long heardAtMs) {
    }

    /** True where the update says something of a served vault. */
    boolean heard(Vault.Update<?> update, long atMs) {
        boolean any = false;
        for (StateAndRef<?> produced : update.getProduced()) {
            if (!(produced.getState().getData() instanceof VaultPart part) || !vaults.has(part)) continue;
            any = true;
            add(new Named(produced.getRef().getTxhash(), part.getVaultId(), atMs));
        }
        return any;
    }

    private synchronized void add(Named named) {
        if (waiting.size() < MOST) waiting.putIfAbsent(named.transaction(), named);
    }

    /** All that wait; none waits afterwards. */
    synchronized List<Named> take() {
        List<Named> taken = new ArrayList<>(waiting.values());
        waiting.clear();
        return taken;
    }
}
