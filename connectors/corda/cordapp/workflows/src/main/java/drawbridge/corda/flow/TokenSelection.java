package drawbridge.corda.flow;

import drawbridge.corda.contract.TokenState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.FlowException;
import net.corda.core.node.ServiceHub;
import net.corda.core.node.services.StatesNotAvailableException;
import net.corda.core.utilities.NonEmptySet;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/** Tokens of this node, reserved for the running flow. */
final class TokenSelection {
    private TokenSelection() {
    }

    /**
     * @param flow id of the running flow: the reservation ends with it.
     * @throws FlowException NO_FUNDS, FUNDS_IN_USE.
     */
    static List<StateAndRef<TokenState>> of(ServiceHub hub, byte[] vaultId, long amount, UUID flow) throws FlowException {
        List<StateAndRef<TokenState>> chosen = new ArrayList<>();
        long held = 0;
        for (StateAndRef<TokenState> token : VaultBook.tokens(hub, vaultId)) {
            if (held >= amount) break;
            chosen.add(token);
            held += token.getState().getData().getAmount();
        }
        if (held < amount || chosen.isEmpty()) throw new FlowException("NO_FUNDS: not enough tokens of this vault");
        List<StateRef> refs = chosen.stream().map(StateAndRef::getRef).collect(Collectors.toList());
        try {
            hub.getVaultService().softLockReserve(flow, NonEmptySet.copyOf(refs));
        } catch (StatesNotAvailableException taken) {
            throw new FlowException("FUNDS_IN_USE: another flow is spending them; try again", taken);
        }
        return chosen;
    }
}
