package drawbridge.corda.flow;

import drawbridge.corda.contract.VaultState;
import net.corda.core.contracts.StateRef;
import net.corda.core.serialization.CordaSerializable;

import java.util.ArrayList;
import java.util.List;

/** A vault as one node has it in its records: what a registration needs, and what an operator looks at. */
@CordaSerializable
public final class VaultView {
    private final List<Long> coinAmounts;
    private final List<StateRef> coins;
    private final byte[] constraint;
    private final List<StateRef> permits;
    private final StateRef ref;
    private final byte[] signer;
    private final VaultState state;

    /**
     * @param coinAmounts minor units of each of {@code coins}; empty for a vault that issues.
     * @param coins       ref of each coin's cash; its guard is the next index.
     * @param constraint  {@link drawbridge.corda.contract.Constraints#name} of the vault's own code.
     * @param permits     in the order of their index.
     * @param ref         of the vault's present state.
     * @param signer      {@link drawbridge.corda.contract.Constraints#signer} of the vault's own code.
     */
    public VaultView(List<Long> coinAmounts, List<StateRef> coins, byte[] constraint, List<StateRef> permits, StateRef ref,
                     byte[] signer, VaultState state) {
        this.coinAmounts = new ArrayList<>(coinAmounts);
        this.coins = new ArrayList<>(coins);
        this.constraint = constraint.clone();
        this.permits = new ArrayList<>(permits);
        this.ref = ref;
        this.signer = signer.clone();
        this.state = state;
    }

    public List<Long> getCoinAmounts() {
        return new ArrayList<>(coinAmounts);
    }

    public List<StateRef> getCoins() {
        return new ArrayList<>(coins);
    }

    public byte[] getConstraint() {
        return constraint.clone();
    }

    public List<StateRef> getPermits() {
        return new ArrayList<>(permits);
    }

    public StateRef getRef() {
        return ref;
    }

    public byte[] getSigner() {
        return signer.clone();
    }

    public VaultState getState() {
        return state;
    }
}
