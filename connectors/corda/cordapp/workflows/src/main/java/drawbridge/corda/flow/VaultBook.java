package drawbridge.corda.flow;

import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.TokenState;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.LinearState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.FlowException;
import net.corda.core.node.ServiceHub;
import net.corda.core.node.services.Vault;
import net.corda.core.node.services.vault.PageSpecification;
import net.corda.core.node.services.vault.QueryCriteria;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;

/** What this node's own records say of a vault. Answers, not proofs. */
final class VaultBook {
    private static final int PAGE = 200;

    private VaultBook() {
    }

    /**
     * The present state of a vault of this node's own party. Others who locked have records of it too, which nobody keeps up to
     * date, and what they did to it the vault party would not learn.
     *
     * @throws FlowException VAULT_UNKNOWN
     */
    static StateAndRef<VaultState> vault(ServiceHub hub, byte[] vaultId) throws FlowException {
        List<StateAndRef<VaultState>> found = named(hub, VaultState.class, vaultId, Vault.StateStatus.UNCONSUMED);
        boolean own = found.size() == 1
                && hub.getMyInfo().getLegalIdentities().contains(found.get(0).getState().getData().getVaultParty());
        if (!own) throw new FlowException("VAULT_UNKNOWN: this node has no vault of that id");
        return found.get(0);
    }

    /** The state that an executed or voided instruction made: a permit, or for a change of command the vault's; or null. */
    static StateAndRef<?> madeBy(ServiceHub hub, byte[] vaultId, byte[] instructionId) {
        for (StateAndRef<PermitState> permit : named(hub, PermitState.class, instructionId, Vault.StateStatus.ALL)) {
            if (Arrays.equals(permit.getState().getData().getVaultId(), vaultId)) return permit;
        }
        for (StateAndRef<VaultState> vault : named(hub, VaultState.class, vaultId, Vault.StateStatus.ALL)) {
            if (Arrays.equals(vault.getState().getData().getControl().getLastInstruction(), instructionId)) return vault;
        }
        return null;
    }

    /** Locks of an id: one, or none. */
    static List<StateAndRef<LockState>> locks(ServiceHub hub, byte[] lockId) {
        return named(hub, LockState.class, lockId, Vault.StateStatus.ALL);
    }

    static List<StateAndRef<PermitState>> permits(ServiceHub hub, byte[] vaultId) {
        return all(hub, PermitState.class, permit -> Arrays.equals(permit.getVaultId(), vaultId));
    }

    static List<StateAndRef<CoinState>> coins(ServiceHub hub, byte[] vaultId) {
        return all(hub, CoinState.class, coin -> Arrays.equals(coin.getVaultId(), vaultId));
    }

    static List<StateAndRef<TokenState>> tokens(ServiceHub hub, byte[] vaultId) {
        return all(hub, TokenState.class, token -> Arrays.equals(token.getVaultId(), vaultId));
    }

    /** UNCONSUMED, CONSUMED, or UNKNOWN when the state is none of this node's. */
    static String status(ServiceHub hub, StateRef ref) {
        if (byRef(hub, ref, Vault.StateStatus.UNCONSUMED)) return "UNCONSUMED";
        return byRef(hub, ref, Vault.StateStatus.CONSUMED) ? "CONSUMED" : "UNKNOWN";
    }

    private static boolean byRef(ServiceHub hub, StateRef ref, Vault.StateStatus status) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(status, Collections.singleton(ContractState.class),
                Collections.singletonList(ref));
        return !hub.getVaultService().queryBy(ContractState.class, criteria).getStates().isEmpty();
    }

    private static <T extends LinearState> List<StateAndRef<T>> named(ServiceHub hub, Class<T> type, byte[] externalId,
                                                                      Vault.StateStatus status) {
        QueryCriteria criteria = new QueryCriteria.LinearStateQueryCriteria(null, null,
                Collections.singletonList(Bytes.hex(externalId)), status, Collections.singleton(type));
        return pages(hub, type, criteria, any -> true);
    }

    private static <T extends ContractState> List<StateAndRef<T>> all(ServiceHub hub, Class<T> type, Predicate<T> wanted) {
        QueryCriteria criteria = new QueryCriteria.VaultQueryCriteria(Vault.StateStatus.UNCONSUMED,
                Collections.singleton(type));
        return pages(hub, type, criteria, wanted);
    }

    private static <T extends ContractState> List<StateAndRef<T>> pages(ServiceHub hub, Class<T> type, QueryCriteria criteria,
                                                                        Predicate<T> wanted) {
        List<StateAndRef<T>> found = new ArrayList<>();
        for (int page = 1; ; page++) {
            List<StateAndRef<T>> states = hub.getVaultService()
                    .queryBy(type, criteria, new PageSpecification(page, PAGE)).getStates();
            states.stream().filter(state -> wanted.test(state.getState().getData())).forEach(found::add);
            if (states.size() < PAGE) return found;
        }
    }
}
