package drawbridge.corda.contract;

/**
 * EIP-712 digests in a vault's domain: {@code keccak256(0x1901 ‖ domain separator ‖ struct hash)}.
 * Golden vectors: test/vectors/instruction.json of this repository, passed by every language.
 */
public final class InstructionDigest {
    private static final byte[] DOMAIN_TYPE = typeHash("EIP712Domain(string name,string version,bytes32 salt)");
    private static final byte[] DOMAIN_NAME = typeHash("Drawbridge");
    private static final byte[] DOMAIN_VERSION = typeHash("1");
    private static final byte[] INSTRUCTION_TYPE = typeHash("Instruction(bytes32 id,uint8 kind,bytes32 subject,"
            + "bytes32 asset,uint64 amount,bytes32 beneficiary,bytes32 inputs,uint64 notAfter,uint32 epoch,bytes trail)");
    private static final byte[] PREFIX = {0x19, 0x01};

    private InstructionDigest() {
    }

    static byte[] typeHash(String type) {
        return Bytes.keccak256(Bytes.utf8(type));
    }

    /** @param vaultAddress canonical bytes of the vault's address; here the vault's id. */
    public static byte[] salt(byte[] serviceId, byte[] networkIdHash, byte[] genesisHash, byte[] vaultAddress) {
        return Bytes.keccak256(serviceId, networkIdHash, genesisHash, Bytes.keccak256(vaultAddress));
    }

    public static byte[] domainSeparator(byte[] salt) {
        return Bytes.keccak256(DOMAIN_TYPE, DOMAIN_NAME, DOMAIN_VERSION, salt);
    }

    public static byte[] structHash(Instruct i) {
        return Bytes.keccak256(INSTRUCTION_TYPE, i.getId(), Bytes.word(i.getKind()), i.getSubject(), i.getAsset(),
                Bytes.word(i.getAmount()), i.getBeneficiary(), i.getInputs(), Bytes.word(i.getNotAfter()),
                Bytes.word(i.getEpoch()), Bytes.keccak256(i.getTrail()));
    }

    public static byte[] digest(byte[] salt, byte[] structHash) {
        return Bytes.keccak256(PREFIX, domainSeparator(salt), structHash);
    }
}
