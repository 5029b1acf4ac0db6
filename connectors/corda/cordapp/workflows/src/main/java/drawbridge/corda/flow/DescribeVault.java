package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Constraints;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** The vault as this node has it in its records. */
@StartableByRPC
public final class DescribeVault extends FlowLogic<VaultView> {
    private final byte[] vaultId;

    public DescribeVault(byte[] vaultId) {
        this.vaultId = vaultId.clone();
    }

    @Suspendable
    @Override
    public VaultView call() throws FlowException {
        StateAndRef<VaultState> vault = VaultBook.vault(getServiceHub(), vaultId);
        List<StateAndRef<PermitState>> permits = VaultBook.permits(getServiceHub(), vaultId);
        permits.sort(Comparator.comparingInt(permit -> permit.getState().getData().getIndex()));
        List<StateRef> coins = new ArrayList<>();
        List<Long> amounts = new ArrayList<>();
        for (StateAndRef<CoinState> guard : VaultBook.coins(getServiceHub(), vaultId)) {
            coins.add(new StateRef(guard.getRef().getTxhash(), guard.getRef().getIndex() - 1));
            amounts.add(guard.getState().getData().getAmount());
        }
        AttachmentConstraint code = vault.getState().getConstraint();
        return new VaultView(amounts, coins, Constraints.name(code),
                permits.stream().map(StateAndRef::getRef).collect(Collectors.toList()), vault.getRef(),
                Constraints.signer(code), vault.getState().getData());
    }
}
