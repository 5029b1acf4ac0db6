package drawbridge.corda.contract;

import net.corda.core.serialization.internal.SerializationEnvironmentKt;
import net.corda.coretesting.internal.InternalSerializationTestHelpersKt;

/**
 * What every test on a ledger needs of Corda: its serialiser, for the life of the process. As a rule of the class it would be
 * made anew for each, and a class could not be cut into its tests by whoever runs them one by one.
 */
public abstract class LedgerTest {
    static {
        SerializationEnvironmentKt.setNodeSerializationEnv(InternalSerializationTestHelpersKt.createTestSerializationEnv());
    }
}
