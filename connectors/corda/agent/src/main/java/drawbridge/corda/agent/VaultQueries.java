package drawbridge.corda.agent;

import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.VaultPart;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.node.services.Vault;
import net.corda.core.node.services.vault.Builder;
import net.corda.core.node.services.vault.ColumnPredicate;
import net.corda.core.node.services.vault.PageSpecification;
import net.corda.core.node.services.vault.QueryCriteria;
import net.corda.core.node.services.vault.Sort;
import net.corda.core.transactions.SignedTransaction;
import rx.Observable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Questions to the node's own records, over RPC. Answers, not proofs. */
final class VaultQueries {
    static final int PAGE = 200;
    static final long UNKNOWN = 0;
    private static final long UNCONSUMED = 1;
    private static final long CONSUMED = 2;
    private static final Duration SPENDER_WINDOW = Duration.ofMinutes(10);
    private static final int MAX_SPENDERS = 1_000;
    /** Every transaction of a vault makes at least one of these. */
    private static final Set<Class<? extends ContractState>> MADE =
            Set.of(VaultState.class, PermitState.class, LockState.class);
    private static final Set<Class<? extends ContractState>> KEPT =
            Set.of(VaultState.class, PermitState.class, CoinState.class, LockState.class);
    private static final Sort BY_TIME = new Sort(Arrays.asList(
            new Sort.SortColumn(new net.corda.core.node.services.vault.SortAttribute.Standard(
                    Sort.VaultStateAttribute.RECORDED_TIME), Sort.Direction.ASC),
            new Sort.SortColumn(new net.corda.core.node.services.vault.SortAttribute.Standard(
                    Sort.CommonStateAttribute.STATE_REF_TXN_ID), Sort.Direction.ASC),
            new Sort.SortColumn(new net.corda.core.node.services.vault.SortAttribute.Standard(
                    Sort.CommonStateAttribute.STATE_REF_INDEX), Sort.Direction.ASC)));

    private VaultQueries() {
    }

    /** A state of a vault, and when the node recorded it. */
    record Made(StateRef ref, VaultPart state, long recordedAtMs) {
    }

    /** @param page from 1. At most {@link #PAGE}, by ascending time. */
    static List<Made> recordedSince(CordaRPCOps node, long ms, int page) {
        return made(node, Builder.INSTANCE.greaterThanOrEqual(Instant.ofEpochMilli(ms)), page);
    }

    /** Of all vaults that the node has. @param page from 1. */
    static List<StateAndRef<VaultPart>> kept(CordaRPCOps node, int page) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.UNCONSUMED, KEPT);
        return page(node, criteria, page).getStates();
    }

    /** By place: 0 unknown, 1 unconsumed, 2 consumed. */
    static List<Long> statuses(CordaRPCOps node, List<StateRef> refs) {
        Map<StateRef, Long> known = new HashMap<>();
        for (StateRef ref : withStatus(node, refs, Vault.StateStatus.CONSUMED)) known.put(ref, CONSUMED);
        for (StateRef ref : withStatus(node, refs, Vault.StateStatus.UNCONSUMED)) known.putIfAbsent(ref, UNCONSUMED);
        List<Long> statuses = new ArrayList<>();
        for (StateRef ref : refs) statuses.add(known.getOrDefault(ref, UNKNOWN));
        return statuses;
    }

    /** Null where it is not consumed, or not by a transaction that makes a state of a vault. */
    static SecureHash spender(CordaRPCOps node, StateRef ref) {
        List<Vault.StateMetadata> consumed = named(node, List.of(ref), Vault.StateStatus.CONSUMED).getStatesMetadata();
        Instant at = consumed.isEmpty() ? null : consumed.get(0).getConsumedTime();
        if (at == null) return null;
        Set<SecureHash> read = new LinkedHashSet<>();
        for (int page = 1; ; page++) {
            List<Made> made = made(node, Builder.INSTANCE.between(at.minus(SPENDER_WINDOW), at.plus(SPENDER_WINDOW)), page);
            for (Made each : made) {
                SecureHash id = each.ref().getTxhash();
                if (!read.add(id)) continue;
                if (read.size() > MAX_SPENDERS) return null;
                SignedTransaction signed = node.internalFindVerifiedTransaction(id);
                if (signed != null && signed.getInputs().contains(ref)) return id;
            }
            if (made.size() < PAGE) return null;
        }
    }

    /** An item whenever a state of some vault was recorded. */
    static Observable<Vault.Update<VaultPart>> recordings(CordaRPCOps node) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.UNCONSUMED, MADE);
        return node.vaultTrackBy(criteria, new PageSpecification(1, 1), BY_TIME, VaultPart.class).getUpdates();
    }

    private static List<Made> made(CordaRPCOps node, ColumnPredicate<Instant> recorded, int page) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.ALL, MADE, null, null, null,
                new QueryCriteria.TimeCondition(QueryCriteria.TimeInstantType.RECORDED, recorded));
        Vault.Page<VaultPart> found = page(node, criteria, page);
        Map<StateRef, Instant> times = new HashMap<>();
        for (Vault.StateMetadata facts : found.getStatesMetadata()) times.put(facts.getRef(), facts.getRecordedTime());
        List<Made> made = new ArrayList<>();
        for (StateAndRef<VaultPart> state : found.getStates()) {
            made.add(new Made(state.getRef(), state.getState().getData(), times.get(state.getRef()).toEpochMilli()));
        }
        return made;
    }

    private static Vault.Page<VaultPart> page(CordaRPCOps node, QueryCriteria criteria, int page) {
        return node.vaultQueryBy(criteria, new PageSpecification(page, PAGE), BY_TIME, VaultPart.class);
    }

    private static List<StateRef> withStatus(CordaRPCOps node, List<StateRef> refs, Vault.StateStatus status) {
        return named(node, refs, status).getStates().stream().map(StateAndRef::getRef).toList();
    }

    private static Vault.Page<ContractState> named(CordaRPCOps node, List<StateRef> refs, Vault.StateStatus status) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(status, Collections.singleton(ContractState.class), refs);
        return node.vaultQueryByWithPagingSpec(ContractState.class, criteria, new PageSpecification(1, PAGE));
    }
}
