package drawbridge.corda.contract;

import net.corda.core.contracts.StateRef;

import java.nio.ByteBuffer;
import java.security.PublicKey;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** Names that follow from what a transaction consumed, so that the notary makes each of them unique. */
public final class VaultNames {
    private static final byte[] VAULT_PREFIX = Bytes.utf8("drawbridge/corda/vault/1");

    private VaultNames() {
    }

    /** 36 bytes: transaction hash, then the index in 4 bytes, big-endian. */
    public static byte[] encode(StateRef ref) {
        byte[] hash = ref.getTxhash().getBytes();
        Refusal.unless(hash.length == 32, "HASH_LENGTH", "a transaction hash has 32 bytes");
        return ByteBuffer.allocate(36).put(hash).putInt(ref.getIndex()).array();
    }

    /** Refs in ascending order of their encoding. */
    public static List<StateRef> sorted(Collection<StateRef> refs) {
        return refs.stream().sorted((a, b) -> Bytes.compare(encode(a), encode(b))).collect(Collectors.toList());
    }

    /** The {@code inputs} of an instruction: keccak256 over the sorted refs, each of 36 bytes. */
    public static byte[] inputsHash(Collection<StateRef> refs) {
        return Bytes.keccak256(sorted(refs).stream().map(VaultNames::encode).toArray(byte[][]::new));
    }

    public static byte[] vaultId(StateRef seed) {
        return Bytes.keccak256(VAULT_PREFIX, encode(seed));
    }

    /** Depositor or beneficiary: keccak256 of the key's DER SubjectPublicKeyInfo. */
    public static byte[] accountWord(PublicKey key) {
        return Bytes.keccak256(key.getEncoded());
    }

    /** @param inputsHash over all inputs of the lock's transaction: a nonce, since nobody consumes them twice. */
    public static byte[] lockId(byte[] vaultId, byte[] depositorWord, byte[] reference, byte[] inputsHash) {
        return Bytes.keccak256(vaultId, depositorWord, reference, inputsHash);
    }
}
