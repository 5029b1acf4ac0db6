package drawbridge.corda.agent;

import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.VaultContract;
import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.contracts.TransactionState;
import net.corda.core.crypto.Crypto;
import net.corda.core.crypto.SecureHash;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.node.services.Vault;
import org.junit.Test;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

/** What of the node's news is remembered. */
public class NamedTransactionsTest {
    private static final Party PARTY = new Party(new CordaX500Name("Boreal Bank", "Paris", "FR"),
            Crypto.deriveKeyPairFromEntropy(Crypto.EDDSA_ED25519_SHA512, BigInteger.ONE).getPublic());
    private final NamedTransactions named = new NamedTransactions(new ServedVaults(List.of("0x" + "07".repeat(32))));

    private static StateAndRef<ContractState> state(int transaction, int index, int vault) {
        byte[] id = ByteBuffer.allocate(32).putInt(transaction).array();
        byte[] vaultId = new byte[32];
        Arrays.fill(vaultId, (byte) vault);
        return new StateAndRef<>(new TransactionState<>(PermitState.first(0, vaultId, PARTY), VaultContract.ID, PARTY),
                new StateRef(new SecureHash.SHA256(id), index));
    }

    @SafeVarargs
    private boolean heard(StateAndRef<ContractState>... produced) {
        return named.heard(new Vault.Update<>(Set.of(), Set.of(produced)), 5);
    }

    @Test
    public void aTransactionOfAServedVaultOnceInTheOrderOfTheNews() {
        assertTrue(heard(state(2, 0, 7), state(2, 1, 7)));
        assertTrue(heard(state(1, 0, 7)));
        assertTrue(heard(state(2, 0, 7)));
        assertFalse(heard(state(3, 0, 8)));
        assertFalse(heard());
        List<SecureHash> taken = named.take().stream().map(NamedTransactions.Named::transaction).toList();
        assertEquals(List.of(state(2, 0, 7).getRef().getTxhash(), state(1, 0, 7).getRef().getTxhash()), taken);
        assertEquals(List.of(), named.take());
    }

    @Test
    public void aFloodTakesNoMoreThanItsRoom() {
        for (int each = 0; each < 2 * NamedTransactions.MOST; each++) heard(state(each, 0, 7));
        assertEquals(NamedTransactions.MOST, named.take().size());
    }
}
