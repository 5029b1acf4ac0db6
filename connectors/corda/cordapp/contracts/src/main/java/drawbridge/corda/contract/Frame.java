package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.CommandWithParties;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.contracts.TransactionState;
import net.corda.core.identity.Party;
import net.corda.core.transactions.LedgerTransaction;

import java.security.PublicKey;
import java.time.Duration;
import java.util.Arrays;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A transaction as the rules look at it, with what holds for every transaction of a vault already checked. */
final class Frame {
    /** Longest time window, in seconds. */
    static final long MAX_TIME_WINDOW_SECONDS = 600;
    /** Where the states of this jar come from; a class of the same name elsewhere has another contract or constraint. */
    private static final List<String> OURS = Arrays.asList(VaultContract.ID, TokenContract.ID);

    private final LedgerTransaction tx;
    private final byte[] inputsHash;

    /** @throws Refusal TIME_WINDOW, NOTARY, CONSTRAINT, CONTRACT. */
    Frame(LedgerTransaction tx) {
        this.tx = tx;
        checkTimeWindow();
        checkStates();
        inputsHash = VaultNames.inputsHash(tx.getInputs().stream().map(StateAndRef::getRef).collect(Collectors.toList()));
    }

    private void checkTimeWindow() {
        TimeWindow window = tx.getTimeWindow();
        boolean closed = window != null && window.getFromTime() != null && window.getUntilTime() != null;
        Refusal.unless(closed, "TIME_WINDOW", "a time window with both ends is needed");
        Duration length = Duration.between(window.getFromTime(), window.getUntilTime());
        Refusal.unless(length.compareTo(Duration.ofSeconds(MAX_TIME_WINDOW_SECONDS)) <= 0, "TIME_WINDOW",
                "the time window is too long");
    }

    /** One constraint, one notary, and the contract that each class of ours belongs to. */
    private void checkStates() {
        List<TransactionState<ContractState>> states = new ArrayList<>(tx.getOutputs());
        tx.getInputs().forEach(input -> states.add(input.getState()));
        tx.getReferences().forEach(reference -> states.add(reference.getState()));
        byte[] first = null;
        for (TransactionState<ContractState> state : states) {
            ContractState data = state.getData();
            boolean ours = data instanceof VaultPart || data instanceof SeedState || data instanceof TokenState;
            if (!ours && !OURS.contains(state.getContract())) continue;
            String contract = data instanceof TokenState ? TokenContract.ID : VaultContract.ID;
            Refusal.unless(ours && state.getContract().equals(contract), "CONTRACT", "a state is under another contract");
            Refusal.unless(state.getNotary().equals(tx.getNotary()), "NOTARY", "a state is under another notary");
            byte[] name = Constraints.name(state.getConstraint());
            if (first == null) first = name;
            Refusal.unless(Constraints.isName(name) && Arrays.equals(first, name), "CONSTRAINT",
                    "every state must be under one and the same jar or signer");
        }
    }

    /** The only command whose data is one of {@code types}. @throws Refusal COMMAND. */
    CommandWithParties<CommandData> only(Class<?>... types) {
        List<CommandWithParties<CommandData>> found = tx.getCommands().stream()
                .filter(command -> Arrays.asList(types).contains(command.getValue().getClass()))
                .collect(Collectors.toList());
        Refusal.unless(found.size() == 1, "COMMAND", "exactly one command of the vault is needed");
        return found.get(0);
    }

    /** The vault that is referred to, and nothing else. @throws Refusal REFERENCE. */
    VaultState referredVault() {
        boolean one = tx.getReferences().size() == 1 && tx.getReferences().get(0).getState().getData() instanceof VaultState;
        Refusal.unless(one, "REFERENCE", "exactly the vault's present state must be referred to");
        return (VaultState) tx.getReferences().get(0).getState().getData();
    }

    void noReferences() {
        Refusal.unless(tx.getReferences().isEmpty(), "REFERENCE", "nothing may be referred to");
    }

    /** @throws Refusal NOT_SIGNED unless the command needs the party's key. */
    static void signedBy(CommandWithParties<?> command, Party party, String who) {
        signedBy(command, party.getOwningKey(), who);
    }

    static void signedBy(CommandWithParties<?> command, PublicKey key, String who) {
        Refusal.unless(command.getSigners().contains(key), "NOT_SIGNED", "the " + who + " must sign");
    }

    List<StateAndRef<ContractState>> inputs() {
        return tx.getInputs();
    }

    List<TransactionState<ContractState>> outputs() {
        return tx.getOutputs();
    }

    /** @throws Refusal SHAPE unless there are {@code size} outputs. */
    void outputCount(int size) {
        Refusal.unless(tx.getOutputs().size() == size, "SHAPE", "the outputs are not those of this command");
    }

    ContractState output(int index) {
        return outputState(index).getData();
    }

    TransactionState<ContractState> outputState(int index) {
        Refusal.unless(index < tx.getOutputs().size(), "SHAPE", "an output is missing");
        return tx.getOutputs().get(index);
    }

    /** @throws Refusal SHAPE unless the output is exactly this, and not encumbered. */
    void outputIs(int index, ContractState expected) {
        TransactionState<ContractState> state = outputState(index);
        Refusal.unless(state.getData().equals(expected) && state.getEncumbrance() == null, "SHAPE",
                "output " + index + " is not what the command makes");
    }

    TimeWindow timeWindow() {
        return tx.getTimeWindow();
    }

    byte[] inputsHash() {
        return inputsHash.clone();
    }

    static boolean isAt(StateRef ref, StateRef other, int distance) {
        return ref.getTxhash().equals(other.getTxhash()) && ref.getIndex() == other.getIndex() + distance;
    }
}
