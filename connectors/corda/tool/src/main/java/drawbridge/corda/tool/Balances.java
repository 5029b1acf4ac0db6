package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.TokenState;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.node.services.Vault;
import net.corda.core.node.services.vault.PageSpecification;
import net.corda.core.node.services.vault.QueryCriteria;
import net.corda.finance.contracts.asset.Cash;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a node owns by its own records: cash, the guarded part of it apart, and tokens of vaults. */
final class Balances {
    private static final int PAGE = 200;
    private static final int MAX_PAGES = 1_000;

    private Balances() {
    }

    static ObjectNode of(CordaRPCOps node) throws ToolException {
        Map<Kind, long[]> cash = new TreeMap<>();
        for (StateAndRef<Cash.State> coin : all(node, Cash.State.class)) {
            Cash.State state = coin.getState().getData();
            var issued = state.getAmount().getToken();
            Kind kind = new Kind(issued.getProduct().getCurrencyCode(),
                    Output.hex(issued.getIssuer().getParty().getOwningKey().getEncoded()),
                    Output.hex(issued.getIssuer().getReference().getBytes()));
            long[] sums = cash.computeIfAbsent(kind, any -> new long[2]);
            int place = coin.getState().getEncumbrance() == null ? 0 : 1;
            sums[place] = Math.addExact(sums[place], state.getAmount().getQuantity());
        }
        Map<Kind, long[]> tokens = new TreeMap<>();
        for (StateAndRef<TokenState> token : all(node, TokenState.class)) {
            TokenState state = token.getState().getData();
            Kind kind = new Kind(state.getCurrency(), Output.hex(state.getVaultId()), "");
            long[] sums = tokens.computeIfAbsent(kind, any -> new long[1]);
            sums[0] = Math.addExact(sums[0], state.getAmount());
        }
        return written(cash, tokens);
    }

    /** Cash: currency, issuer's key, issuer's reference. Tokens: currency, vault, nothing. */
    private record Kind(String currency, String source, String reference) implements Comparable<Kind> {
        @Override
        public int compareTo(Kind other) {
            return toString().compareTo(other.toString());
        }
    }

    private static ObjectNode written(Map<Kind, long[]> cash, Map<Kind, long[]> tokens) {
        ObjectNode answer = Output.JSON.objectNode();
        ArrayNode listed = answer.putArray("cash");
        cash.forEach((kind, sums) -> listed.addObject().put("currency", kind.currency).put("issuerKey", kind.source)
                .put("issuerReference", kind.reference).put("freeMinor", Long.toString(sums[0]))
                .put("guardedMinor", Long.toString(sums[1])));
        ArrayNode issued = answer.putArray("tokens");
        tokens.forEach((kind, sums) -> issued.addObject().put("currency", kind.currency).put("vaultId", kind.source)
                .put("amountMinor", Long.toString(sums[0])));
        return answer;
    }

    private static <T extends ContractState> List<StateAndRef<T>> all(CordaRPCOps node, Class<T> type) throws ToolException {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.UNCONSUMED,
                Collections.singleton(type));
        List<StateAndRef<T>> found = new ArrayList<>();
        for (int page = 1; page <= MAX_PAGES; page++) {
            List<StateAndRef<T>> states = node
                    .vaultQueryByWithPagingSpec(type, criteria, new PageSpecification(page, PAGE)).getStates();
            found.addAll(states);
            if (states.size() < PAGE) return found;
        }
        throw new ToolException("TOO_MANY", "the node has more states than this tool counts");
    }
}
