package drawbridge.corda.contract;

import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.Command;
import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TimeWindow;
import net.corda.core.contracts.TransactionState;
import net.corda.core.identity.Party;

import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A transaction that a test is still changing. */
final class Draft {
    final List<StateAndRef<?>> inputs = new ArrayList<>();
    final List<StateAndRef<?>> references = new ArrayList<>();
    final List<TransactionState<ContractState>> outputs = new ArrayList<>();
    final List<Command<?>> commands = new ArrayList<>();
    final Party notary;
    TimeWindow timeWindow = TestLedger.WINDOW;

    Draft(Party notary) {
        this.notary = notary;
    }

    Draft input(StateAndRef<?>... states) {
        inputs.addAll(Arrays.asList(states));
        return this;
    }

    Draft reference(StateAndRef<?> state) {
        references.add(state);
        return this;
    }

    Draft output(ContractState data, String contract, AttachmentConstraint constraint, Integer encumbrance) {
        outputs.add(new TransactionState<>(data, contract, notary, encumbrance, constraint));
        return this;
    }

    /** Replaces an output's data, all else as it was. */
    Draft change(int index, ContractState data) {
        TransactionState<ContractState> old = outputs.get(index);
        outputs.set(index, new TransactionState<>(data, old.getContract(), old.getNotary(), old.getEncumbrance(),
                old.getConstraint()));
        return this;
    }

    /** Takes an output away, and puts another in its place. */
    Draft replace(int index, TransactionState<ContractState> state) {
        outputs.set(index, state);
        return this;
    }

    /** Puts an output under another constraint. */
    Draft constrain(int index, AttachmentConstraint constraint) {
        TransactionState<ContractState> old = outputs.get(index);
        outputs.set(index, new TransactionState<>(old.getData(), old.getContract(), old.getNotary(), old.getEncumbrance(),
                constraint));
        return this;
    }

    Draft encumber(int index, Integer encumbrance) {
        TransactionState<ContractState> old = outputs.get(index);
        outputs.set(index, new TransactionState<>(old.getData(), old.getContract(), old.getNotary(), encumbrance,
                old.getConstraint()));
        return this;
    }

    Draft command(CommandData data, PublicKey... signers) {
        commands.add(new Command<>(data, Arrays.asList(signers)));
        return this;
    }

    /** Replaces the command of a class by the same with other data or signers. */
    Draft recommand(CommandData data, PublicKey... signers) {
        commands.removeIf(command -> command.getValue().getClass() == data.getClass());
        return command(data, signers);
    }

    List<StateRef> inputRefs() {
        return inputs.stream().map(StateAndRef::getRef).collect(Collectors.toList());
    }
}
