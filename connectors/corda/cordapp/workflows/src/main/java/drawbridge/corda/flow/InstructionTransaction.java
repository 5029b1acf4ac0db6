package drawbridge.corda.flow;

import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.ReleaseWindow;
import drawbridge.corda.contract.TokenState;
import drawbridge.corda.contract.TokenContract;
import drawbridge.corda.contract.VaultContract;
import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.flows.FlowException;
import net.corda.core.identity.Party;
import net.corda.core.node.ServiceHub;
import net.corda.core.contracts.TransactionResolutionException;
import net.corda.core.transactions.TransactionBuilder;
import net.corda.finance.contracts.asset.Cash;

import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The one transaction that an instruction over given inputs can be. What it must look like is the contract's. */
final class InstructionTransaction {
    private final ServiceHub hub;
    private final StateAndRef<VaultState> vault;
    private final Instruct instruction;
    private final Party payee;
    private final TransactionBuilder builder;

    InstructionTransaction(ServiceHub hub, StateAndRef<VaultState> vault, Instruct instruction, Party payee) {
        this.hub = hub;
        this.vault = vault;
        this.instruction = instruction;
        this.payee = payee;
        this.builder = new TransactionBuilder(vault.getState().getNotary());
    }

    private VaultState state() {
        return vault.getState().getData();
    }

    private PublicKey vaultKey() {
        return state().getVaultParty().getOwningKey();
    }

    /** @throws FlowException INPUT_UNKNOWN, INPUTS, EXPIRED, or the contract's own codes as REFUSED. */
    TransactionBuilder build(List<StateRef> refs) throws FlowException {
        List<StateAndRef<?>> inputs = new ArrayList<>();
        for (StateRef ref : VaultNames.sorted(refs)) inputs.add(resolve(ref));
        inputs.forEach(builder::addInputState);
        builder.addCommand(instruction, vaultKey());
        Instant now = hub.getClock().instant();
        boolean pays = payee != null;
        if (!pays && instruction.getKind() != Kind.VOID) {
            builder.setTimeWindow(TimeWindows.ofCommand(now, instruction.getNotAfter()));
            own(state().under(nextControl()));
            return builder;
        }
        builder.addReferenceState(vault.referenced());
        TimeWindow window = TimeWindows.ofPayment(now, state().getTerms(), instruction.getNotAfter());
        builder.setTimeWindow(window);
        PermitState permit = permitOf(inputs);
        if (pays) pay(inputs, booked(permit, window));
        else makeAgain(inputs, permit);
        return builder;
    }

    private StateAndRef<?> resolve(StateRef ref) throws FlowException {
        try {
            return hub.toStateAndRef(ref);
        } catch (TransactionResolutionException unknown) {
            throw new FlowException("INPUT_UNKNOWN: this node does not have " + ref, unknown);
        }
    }

    private VaultControl nextControl() {
        VaultControl control = state().getControl();
        if (instruction.getKind() == Kind.ROTATE) {
            return control.rotated(Arrays.copyOfRange(instruction.getSubject(), 12, 32), instruction.getId());
        }
        return control.pausedByAuthority(instruction.getKind() == Kind.PAUSE, instruction.getId());
    }

    private static PermitState permitOf(List<StateAndRef<?>> inputs) throws FlowException {
        for (StateAndRef<?> input : inputs) {
            if (input.getState().getData() instanceof PermitState) return (PermitState) input.getState().getData();
        }
        throw new FlowException("INPUTS: no permit is among them");
    }

    private PermitState booked(PermitState permit, TimeWindow window) throws FlowException {
        try {
            return ReleaseWindow.booked(permit, instruction, state().getTerms(), window);
        } catch (IllegalArgumentException refused) {
            throw new FlowException("REFUSED: " + refused.getMessage(), refused);
        }
    }

    private void pay(List<StateAndRef<?>> inputs, PermitState next) throws FlowException {
        own(next);
        VaultTerms terms = state().getTerms();
        if (terms.getMode() == Kind.MODE_ISSUE) {
            TokenState token = new TokenState(instruction.getAmount(), terms.getCurrency(), payee, state().getVaultId());
            builder.addOutputState(token, TokenContract.ID);
            return;
        }
        List<CoinState> coins = coinsOf(inputs);
        Cash.State like = cashOf(inputs);
        long consumed = coins.stream().mapToLong(CoinState::getAmount).sum();
        builder.addOutputState(CashStates.of(like, instruction.getAmount(), payee), Cash.PROGRAM_ID);
        if (consumed > instruction.getAmount()) coin(like, consumed - instruction.getAmount());
        builder.addCommand(new Cash.Commands.Move(), vaultKey());
    }

    private void makeAgain(List<StateAndRef<?>> inputs, PermitState permit) throws FlowException {
        own(permit.voidedBy(instruction.getId()));
        if (state().getTerms().getMode() == Kind.MODE_ISSUE) return;
        Cash.State like = cashOf(inputs);
        for (CoinState coin : coinsOf(inputs)) coin(like, coin.getAmount());
        builder.addCommand(new Cash.Commands.Move(), vaultKey());
    }

    private void coin(Cash.State like, long amount) {
        CashStates.addCoin(builder, CashStates.of(like, amount, state().getVaultParty()),
                new CoinState(amount, state().getVaultId(), state().getVaultParty()));
    }

    /** In the order of the inputs, which is that of their refs. */
    private static List<CoinState> coinsOf(List<StateAndRef<?>> inputs) {
        List<CoinState> coins = new ArrayList<>();
        for (StateAndRef<?> input : inputs) {
            ContractState data = input.getState().getData();
            if (data instanceof CoinState) coins.add((CoinState) data);
        }
        return coins;
    }

    private static Cash.State cashOf(List<StateAndRef<?>> inputs) throws FlowException {
        for (StateAndRef<?> input : inputs) {
            if (input.getState().getData() instanceof Cash.State) return (Cash.State) input.getState().getData();
        }
        throw new FlowException("INPUTS: no coin is among them");
    }

    private void own(ContractState data) {
        builder.addOutputState(data, VaultContract.ID);
    }
}
