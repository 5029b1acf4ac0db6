package drawbridge.corda.contract;

import net.corda.core.serialization.CordaSerializable;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** What a vault is, for its whole life. */
@CordaSerializable
public final class VaultTerms {
    public static final int MAX_GUARDIANS = 16;
    public static final int MAX_PERMITS = 64;
    /** Shortest window of the cap: a transaction's time window must fit into half of it. */
    public static final long MIN_CAP_WINDOW_SECONDS = 60;
    public static final long MAX_PERIOD_SECONDS = 365L * 24 * 3600;

    private final byte[] asset;
    private final long capWindowSeconds;
    private final byte[] cashConstraint;
    private final String currency;
    private final byte[] genesisHash;
    private final long guardianDelaySeconds;
    private final int guardianThreshold;
    private final byte[] guardians;
    private final byte[] issuerKey;
    private final byte[] issuerReference;
    private final int mode;
    private final byte[] networkIdHash;
    private final long permitCap;
    private final int permits;
    private final byte[] serviceId;

    /**
     * @param asset                keccak256 of the asset's code in UTF-8.
     * @param capWindowSeconds     in which each permit may pass at most {@code permitCap}.
     * @param cashConstraint       escrow: {@link Constraints#name} of the attachment constraint that cash must be under.
     * @param currency             ISO 4217 code of the cash, or the token's name.
     * @param genesisHash          SHA-256 of the DER of the network's root certificate.
     * @param guardianDelaySeconds between a proposal of another authority and its completion.
     * @param guardians            addresses of 20 bytes each, one after the other.
     * @param issuerKey            escrow: DER SubjectPublicKeyInfo of the cash's issuer.
     * @param issuerReference      escrow: the issuer's reference bytes.
     * @param mode                 {@link Kind#MODE_ESCROW} or {@link Kind#MODE_ISSUE}.
     * @param networkIdHash        keccak256 of the network's id in UTF-8.
     * @param permitCap            minor units; also the largest payment and the largest lock.
     * @param permits              payments that can be under way at once.
     * @param serviceId            32 random bytes, drawn at the service's creation.
     */
    public VaultTerms(byte[] asset, long capWindowSeconds, byte[] cashConstraint, String currency, byte[] genesisHash,
                      long guardianDelaySeconds, int guardianThreshold, byte[] guardians, byte[] issuerKey,
                      byte[] issuerReference, int mode, byte[] networkIdHash, long permitCap, int permits,
                      byte[] serviceId) {
        this.asset = asset.clone();
        this.capWindowSeconds = capWindowSeconds;
        this.cashConstraint = cashConstraint.clone();
        this.currency = currency;
        this.genesisHash = genesisHash.clone();
        this.guardianDelaySeconds = guardianDelaySeconds;
        this.guardianThreshold = guardianThreshold;
        this.guardians = guardians.clone();
        this.issuerKey = issuerKey.clone();
        this.issuerReference = issuerReference.clone();
        this.mode = mode;
        this.networkIdHash = networkIdHash.clone();
        this.permitCap = permitCap;
        this.permits = permits;
        this.serviceId = serviceId.clone();
    }

    /** @throws Refusal TERMS with the field that is wrong. */
    void check() {
        term(isSet(serviceId), "serviceId");
        term(isSet(networkIdHash), "networkIdHash");
        term(isSet(genesisHash), "genesisHash");
        term(isSet(asset), "asset");
        term(mode == Kind.MODE_ESCROW || mode == Kind.MODE_ISSUE, "mode");
        boolean escrow = mode == Kind.MODE_ESCROW;
        term(escrow ? currency.matches("[A-Z]{3}") : currency.matches("[A-Za-z0-9.-]{1,32}"), "currency");
        term(escrow == issuerKey.length > 0, "issuerKey");
        term(escrow ? issuerReference.length > 0 : issuerReference.length == 0, "issuerReference");
        term(escrow ? Constraints.isName(cashConstraint) : cashConstraint.length == 0, "cashConstraint");
        term(permits >= 1 && permits <= MAX_PERMITS, "permits");
        term(permitCap >= 1 && permitCap <= Long.MAX_VALUE / permits, "permitCap");
        term(capWindowSeconds >= MIN_CAP_WINDOW_SECONDS && capWindowSeconds <= MAX_PERIOD_SECONDS, "capWindowSeconds");
        term(guardianDelaySeconds >= 1 && guardianDelaySeconds <= MAX_PERIOD_SECONDS, "guardianDelaySeconds");
        checkGuardians();
    }

    private void checkGuardians() {
        int count = guardians.length / 20;
        term(guardians.length % 20 == 0 && count >= 1 && count <= MAX_GUARDIANS, "guardians");
        Set<String> distinct = new HashSet<>();
        for (int i = 0; i < count; i++) {
            byte[] guardian = Arrays.copyOfRange(guardians, 20 * i, 20 * i + 20);
            term(!Bytes.isZero(guardian) && distinct.add(Bytes.hex(guardian)), "guardians");
        }
        term(guardianThreshold >= 1 && guardianThreshold <= count, "guardianThreshold");
    }

    private static boolean isSet(byte[] word) {
        return Bytes.isWord(word) && !Bytes.isZero(word);
    }

    private static void term(boolean ok, String field) {
        Refusal.unless(ok, "TERMS", field + " is out of range");
    }

    /** The salt of the vault's EIP-712 domain. */
    public byte[] salt(byte[] vaultId) {
        return InstructionDigest.salt(serviceId, networkIdHash, genesisHash, vaultId);
    }

    public byte[] getAsset() {
        return asset.clone();
    }

    public long getCapWindowSeconds() {
        return capWindowSeconds;
    }

    public byte[] getCashConstraint() {
        return cashConstraint.clone();
    }

    public String getCurrency() {
        return currency;
    }

    public byte[] getGenesisHash() {
        return genesisHash.clone();
    }

    public long getGuardianDelaySeconds() {
        return guardianDelaySeconds;
    }

    public int getGuardianThreshold() {
        return guardianThreshold;
    }

    public byte[] getGuardians() {
        return guardians.clone();
    }

    public byte[] getIssuerKey() {
        return issuerKey.clone();
    }

    public byte[] getIssuerReference() {
        return issuerReference.clone();
    }

    public int getMode() {
        return mode;
    }

    public byte[] getNetworkIdHash() {
        return networkIdHash.clone();
    }

    public long getPermitCap() {
        return permitCap;
    }

    public int getPermits() {
        return permits;
    }

    public byte[] getServiceId() {
        return serviceId.clone();
    }

    private Object[] fields() {
        return new Object[]{asset, capWindowSeconds, cashConstraint, currency, genesisHash, guardianDelaySeconds,
            guardianThreshold, guardians, issuerKey, issuerReference, mode, networkIdHash, permitCap, permits, serviceId};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VaultTerms && Arrays.deepEquals(fields(), ((VaultTerms) other).fields());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(fields());
    }
}
