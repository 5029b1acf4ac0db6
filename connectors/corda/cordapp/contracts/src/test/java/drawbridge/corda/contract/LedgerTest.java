package drawbridge.corda.contract;

import net.corda.testing.core.SerializationEnvironmentRule;
import org.junit.ClassRule;

/** What every test on a ledger needs of Corda. */
public abstract class LedgerTest {
    @ClassRule
    public static final SerializationEnvironmentRule SERIALIZATION = new SerializationEnvironmentRule();
}
