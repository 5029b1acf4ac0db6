package drawbridge.corda.contract;

import net.corda.core.contracts.CommandData;
import net.corda.core.contracts.TypeOnlyCommandData;

/** Commands that say nothing but their name; {@link Instruct} and {@link Guard} are the others. */
public interface VaultCommands {
    /** Makes the anchor of a vault's name. */
    final class Seed extends TypeOnlyCommandData implements VaultCommands {
    }

    /** Makes a vault and its permits out of a seed. */
    final class Create extends TypeOnlyCommandData implements VaultCommands {
    }

    /** Puts value into a vault. Signers: the vault party, the depositor's identity, and, of tokens, their owners. */
    final class Lock extends TypeOnlyCommandData implements VaultCommands {
    }

    /** Hands tokens of an issue vault on. Signers: their owners. */
    final class Move extends TypeOnlyCommandData implements CommandData {
    }
}
