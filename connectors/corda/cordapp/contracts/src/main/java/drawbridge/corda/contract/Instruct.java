package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;

/** One instruction of the core with its authority's signature. Fields and digest: {@link InstructionDigest}. */
public final class Instruct implements CommandData {
    private final byte[] id;
    private final int kind;
    private final byte[] subject;
    private final byte[] asset;
    private final long amount;
    private final byte[] beneficiary;
    private final byte[] inputs;
    private final long notAfter;
    private final long epoch;
    private final byte[] trail;
    private final byte[] signature;

    /**
     * @param id          32 bytes, as all of subject, asset, beneficiary and inputs.
     * @param amount      minor units.
     * @param inputs      {@link VaultNames#inputsHash} over every input of the transaction.
     * @param notAfter    Unix seconds that the time window must not pass; 0 is no limit.
     * @param trail       opaque here, at most 256 bytes.
     * @param signature   65 bytes r, s, v.
     */
    public Instruct(byte[] id, int kind, byte[] subject, byte[] asset, long amount, byte[] beneficiary, byte[] inputs,
                    long notAfter, long epoch, byte[] trail, byte[] signature) {
        this.id = id.clone();
        this.kind = kind;
        this.subject = subject.clone();
        this.asset = asset.clone();
        this.amount = amount;
        this.beneficiary = beneficiary.clone();
        this.inputs = inputs.clone();
        this.notAfter = notAfter;
        this.epoch = epoch;
        this.trail = trail.clone();
        this.signature = signature.clone();
    }

    public byte[] getId() {
        return id.clone();
    }

    public int getKind() {
        return kind;
    }

    public byte[] getSubject() {
        return subject.clone();
    }

    public byte[] getAsset() {
        return asset.clone();
    }

    public long getAmount() {
        return amount;
    }

    public byte[] getBeneficiary() {
        return beneficiary.clone();
    }

    public byte[] getInputs() {
        return inputs.clone();
    }

    public long getNotAfter() {
        return notAfter;
    }

    public long getEpoch() {
        return epoch;
    }

    public byte[] getTrail() {
        return trail.clone();
    }

    public byte[] getSignature() {
        return signature.clone();
    }

    /** The same instruction under another signature. */
    public Instruct signedBy(byte[] other) {
        return new Instruct(id, kind, subject, asset, amount, beneficiary, inputs, notAfter, epoch, trail, other);
    }
}
