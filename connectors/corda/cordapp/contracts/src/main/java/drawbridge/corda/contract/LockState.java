package drawbridge.corda.contract;

import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.LinearState;
import net.corda.core.contracts.UniqueIdentifier;
import net.corda.core.identity.AbstractParty;
import net.corda.core.identity.Party;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The record of a lock. It bears no value; only the refund of this very lock consumes it. */
@BelongsToContract(VaultContract.class)
public final class LockState implements VaultPart, LinearState {
    private final long amount;
    private final String currency;
    private final Party depositor;
    private final byte[] issuerKey;
    private final byte[] issuerReference;
    private final byte[] lockId;
    private final byte[] reference;
    private final byte[] vaultId;
    private final Party vaultParty;

    /**
     * @param amount          minor units.
     * @param depositor       whose identity key signed, and whom a refund pays.
     * @param issuerKey       as in the vault's terms; with {@code issuerReference} empty for burned tokens.
     * @param lockId          {@link VaultNames#lockId}.
     * @param reference       32 bytes that link the lock to a transfer, for those who know.
     */
    public LockState(long amount, String currency, Party depositor, byte[] issuerKey, byte[] issuerReference,
                     byte[] lockId, byte[] reference, byte[] vaultId, Party vaultParty) {
        this.amount = amount;
        this.currency = currency;
        this.depositor = depositor;
        this.issuerKey = issuerKey.clone();
        this.issuerReference = issuerReference.clone();
        this.lockId = lockId.clone();
        this.reference = reference.clone();
        this.vaultId = vaultId.clone();
        this.vaultParty = vaultParty;
    }

    /** The record that a lock into {@code vault} must have. */
    public static LockState of(VaultState vault, long amount, Party depositor, byte[] reference, byte[] inputsHash) {
        VaultTerms terms = vault.getTerms();
        byte[] word = VaultNames.accountWord(depositor.getOwningKey());
        byte[] lockId = VaultNames.lockId(vault.getVaultId(), word, reference, inputsHash);
        return new LockState(amount, terms.getCurrency(), depositor, terms.getIssuerKey(), terms.getIssuerReference(),
                lockId, reference, vault.getVaultId(), vault.getVaultParty());
    }

    public long getAmount() {
        return amount;
    }

    public String getCurrency() {
        return currency;
    }

    public Party getDepositor() {
        return depositor;
    }

    public byte[] getIssuerKey() {
        return issuerKey.clone();
    }

    public byte[] getIssuerReference() {
        return issuerReference.clone();
    }

    public byte[] getLockId() {
        return lockId.clone();
    }

    public byte[] getReference() {
        return reference.clone();
    }

    @Override
    public byte[] getVaultId() {
        return vaultId.clone();
    }

    @Override
    public Party getVaultParty() {
        return vaultParty;
    }

    /** For queries: the external id is the lock's id in hex. */
    @Override
    public UniqueIdentifier getLinearId() {
        return new UniqueIdentifier(Bytes.hex(lockId), UUID.nameUUIDFromBytes(lockId));
    }

    @Override
    public List<AbstractParty> getParticipants() {
        return new ArrayList<>(new LinkedHashSet<AbstractParty>(Arrays.asList(vaultParty, depositor)));
    }

    private Object[] fields() {
        return new Object[]{amount, currency, depositor, issuerKey, issuerReference, lockId, reference, vaultId, vaultParty};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockState && Arrays.deepEquals(fields(), ((LockState) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
