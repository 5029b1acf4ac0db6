package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import drawbridge.corda.contract.VaultPart;
import net.corda.core.contracts.TransactionState;
import net.corda.core.crypto.SecureHash;
import net.corda.core.transactions.SignedTransaction;
import net.corda.core.transactions.WireTransaction;

import java.util.concurrent.TimeUnit;

/** Proofs of transactions of served vaults. */
final class Transactions {
    private static final int WARM_ROUNDS = 200;
    private static final long WARM_NANOS = TimeUnit.SECONDS.toNanos(5);
    private final String network;
    private final NodeCalls node;
    private final ServedVaults vaults;

    Transactions(String network, NodeCalls node, ServedVaults vaults) {
        this.network = network;
        this.node = node;
        this.vaults = vaults;
    }

    record Proven(byte[] vault, byte[] evidence) {
    }

    /** @throws AgentException TRANSACTION_UNKNOWN, NOT_OF_A_VAULT, PROOF_TOO_LARGE, NODE_UNAVAILABLE */
    Proven proof(SecureHash id) throws AgentException {
        SignedTransaction signed = node.call(ops -> ops.internalFindVerifiedTransaction(id));
        if (signed == null) throw new AgentException(Code.TRANSACTION_UNKNOWN);
        if (!(signed.getCoreTransaction() instanceof WireTransaction transaction)) throw new AgentException(Code.NOT_OF_A_VAULT);
        VaultPart part = served(transaction);
        return new Proven(part.getVaultId(), Proof.of(network, signed, part.getVaultParty().getOwningKey()));
    }

    /**
     * Makes proofs of one recorded transaction of a served vault, for nobody: until the JVM has compiled what they take, one is some ten
     * milliseconds slower, and no payment should wait for that. Nothing where no vault has a transaction yet.
     */
    void warm() throws AgentException {
        for (VaultQueries.Made made : node.call(ops -> VaultQueries.recordedSince(ops, 0, 1))) {
            if (!vaults.has(made.state())) continue;
            long endsAt = System.nanoTime() + WARM_NANOS;
            for (int round = 0; round < WARM_ROUNDS && System.nanoTime() < endsAt; round++) proof(made.ref().getTxhash());
            return;
        }
    }

    private VaultPart served(WireTransaction transaction) throws AgentException {
        for (TransactionState<?> output : transaction.getOutputs()) {
            if (output.getData() instanceof VaultPart part && vaults.has(part)) return part;
        }
        throw new AgentException(Code.NOT_OF_A_VAULT);
    }
}
