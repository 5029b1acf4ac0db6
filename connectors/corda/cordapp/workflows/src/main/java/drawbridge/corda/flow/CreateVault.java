package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.SeedState;
import drawbridge.corda.contract.VaultCommands;
import drawbridge.corda.contract.VaultContract;
import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.flows.FinalityFlow;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;
import net.corda.core.identity.Party;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.TransactionBuilder;

import java.util.Collections;

/** Makes a vault of this node: a seed, then the vault that is named after it, with its permits. Answers the vault's id in hex. */
@StartableByRPC
public final class CreateVault extends FlowLogic<String> {
    private final VaultTerms terms;
    private final byte[] authority;
    private final Party notary;

    /** @param authority address of the core's key for this vault, 20 bytes. */
    public CreateVault(VaultTerms terms, byte[] authority, Party notary) {
        this.terms = terms;
        this.authority = authority.clone();
        this.notary = notary;
    }

    @Suspendable
    @Override
    public String call() throws FlowException {
        TransactionBuilder seeding = builder(new VaultCommands.Seed());
        seeding.addOutputState(new SeedState(getOurIdentity()), VaultContract.ID);
        StateAndRef<SeedState> seed = finish(seeding).getTx().outRef(0);
        byte[] vaultId = VaultNames.vaultId(seed.getRef());
        TransactionBuilder creating = builder(new VaultCommands.Create());
        creating.addInputState(seed);
        VaultControl control = VaultControl.first(authority);
        creating.addOutputState(new VaultState(control, terms, vaultId, getOurIdentity()), VaultContract.ID);
        for (int index = 0; index < terms.getPermits(); index++) {
            creating.addOutputState(PermitState.first(index, vaultId, getOurIdentity()), VaultContract.ID);
        }
        finish(creating);
        return Bytes.hex(vaultId);
    }

    private TransactionBuilder builder(CommandData command) {
        return new TransactionBuilder(notary).addCommand(command, getOurIdentity().getOwningKey())
                .setTimeWindow(TimeWindows.around(getServiceHub().getClock().instant()));
    }

    @Suspendable
    private SignedTransaction finish(TransactionBuilder builder) throws FlowException {
        Verification.check(builder, getServiceHub());
        return subFlow(new FinalityFlow(getServiceHub().signInitialTransaction(builder), Collections.emptyList()));
    }
}
