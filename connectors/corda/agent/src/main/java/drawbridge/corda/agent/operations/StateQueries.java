package drawbridge.corda.agent.operations;

import drawbridge.corda.agent.AgentException;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.node.services.Vault;
import net.corda.core.node.services.vault.Builder;
import net.corda.core.node.services.vault.PageSpecification;
import net.corda.core.node.services.vault.QueryCriteria;
import net.corda.core.node.services.vault.Sort;
import net.corda.core.node.services.vault.SortAttribute;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** States of the classes that the configuration names, as the node recorded them. */
final class StateQueries {
    /** States are other people's: they may be large. */
    static final int PAGE = 50;
    private static final Sort BY_TIME = new Sort(Arrays.asList(
            ascending(new SortAttribute.Standard(Sort.VaultStateAttribute.RECORDED_TIME)),
            ascending(new SortAttribute.Standard(Sort.CommonStateAttribute.STATE_REF_TXN_ID)),
            ascending(new SortAttribute.Standard(Sort.CommonStateAttribute.STATE_REF_INDEX))));

    private final Map<String, Class<? extends ContractState>> allowed = new TreeMap<>();
    private final NodeCalls node;
    private final JsonAnswers json;

    /** @throws IllegalArgumentException for a class that is not there or is none of states. */
    StateQueries(List<String> names, NodeCalls node, JsonAnswers json) {
        for (String name : names) allowed.put(name, AllowedClasses.loaded(name, ContractState.class));
        this.node = node;
        this.json = json;
    }

    /** @throws AgentException OPERATION_NOT_ALLOWED */
    Class<? extends ContractState> demand(String name) throws AgentException {
        Class<? extends ContractState> type = allowed.get(name);
        if (type == null) throw Refusals.notAllowed("STATE");
        return type;
    }

    /** Unconsumed ones. @param page from 0. @return JSON of {@code {states, statesMetadata}}, and whether there are more. */
    List<?> unconsumed(String name, int page) throws AgentException {
        Class<? extends ContractState> type = demand(name);
        Vault.Page<ContractState> found = node.call(ops -> page(ops, new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.UNCONSUMED,
                Set.of(type)), page));
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("states", found.getStates());
        shown.put("statesMetadata", found.getStatesMetadata());
        return List.of(json.write(shown), found.getStates().size() == PAGE);
    }

    /**
     * Whatever was recorded since, spent or not, by ascending time.
     *
     * @param page from 0
     * @return lists of ref, time and JSON, and whether there are more
     */
    List<?> recorded(String name, long sinceMs, int page) throws AgentException {
        Class<? extends ContractState> type = demand(name);
        QueryCriteria.TimeCondition since = new QueryCriteria.TimeCondition(QueryCriteria.TimeInstantType.RECORDED,
                Builder.INSTANCE.greaterThanOrEqual(Instant.ofEpochMilli(sinceMs)));
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.ALL, Set.of(type), null, null, null, since);
        Vault.Page<ContractState> found = node.call(ops -> page(ops, criteria, page));
        Map<Object, Long> times = new LinkedHashMap<>();
        for (Vault.StateMetadata facts : found.getStatesMetadata()) times.put(facts.getRef(), facts.getRecordedTime().toEpochMilli());
        List<Object> rows = new ArrayList<>();
        for (StateAndRef<ContractState> state : found.getStates()) {
            rows.add(List.of(ref(state), times.get(state.getRef()), json.write(state)));
        }
        return List.of(rows, found.getStates().size() == PAGE);
    }

    private static byte[] ref(StateAndRef<?> state) {
        return ByteBuffer.allocate(36).put(state.getRef().getTxhash().getBytes()).putInt(state.getRef().getIndex()).array();
    }

    private static Vault.Page<ContractState> page(CordaRPCOps ops, QueryCriteria criteria, int page) {
        return ops.vaultQueryBy(criteria, new PageSpecification(page + 1, PAGE), BY_TIME, ContractState.class);
    }

    private static Sort.SortColumn ascending(SortAttribute attribute) {
        return new Sort.SortColumn(attribute, Sort.Direction.ASC);
    }
}
