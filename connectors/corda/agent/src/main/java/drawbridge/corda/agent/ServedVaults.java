package drawbridge.corda.agent;

import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.VaultPart;

import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/** The vaults that the configuration names; of others the agent says nothing. */
final class ServedVaults {
    private final Set<String> ids;

    /** @param ids hex with 0x. */
    ServedVaults(Collection<String> ids) {
        this.ids = ids.stream().map(id -> id.substring(2)).collect(Collectors.toUnmodifiableSet());
    }

    boolean has(VaultPart part) {
        return ids.contains(Bytes.hex(part.getVaultId()));
    }

    /** @throws AgentException VAULT_NOT_SERVED */
    byte[] demand(byte[] id) throws AgentException {
        if (!ids.contains(Bytes.hex(id))) throw new AgentException(Code.VAULT_NOT_SERVED);
        return id;
    }
}
