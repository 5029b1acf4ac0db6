package drawbridge.corda.tool;

import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.TokenState;
import drawbridge.corda.contract.VaultCommands;
import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.contract.VaultTerms;
import net.corda.core.serialization.SerializationContext;
import net.corda.core.serialization.internal.SerializationEnvironment;
import net.corda.nodeapi.internal.rpc.client.AMQPClientSerializationScheme;
import net.corda.serialization.internal.amqp.SerializerFactory;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** The names by which Corda's serialiser writes the CorDapp's classes into transactions, computed by that serialiser. */
final class Fingerprints {
    private static final String PREFIX = "net.corda:";
    private static final List<Class<?>> CLASSES = List.of(VaultState.class, VaultControl.class, VaultTerms.class,
            PermitState.class, CoinState.class, LockState.class, TokenState.class, Instruct.class, Guard.class,
            VaultCommands.Lock.class, VaultCommands.Create.class);

    private Fingerprints() {
    }

    /** By the class's short name: base64 of 16 bytes. */
    static Map<String, String> all() {
        SerializationEnvironment environment = AMQPClientSerializationScheme.Companion.createSerializationEnv(
                Fingerprints.class.getClassLoader(), Collections.emptySet(), Collections.emptySet(), new ConcurrentHashMap<>());
        SerializationContext transactions = environment.getP2pContext();
        SerializerFactory factory = new AMQPClientSerializationScheme().getSerializerFactory(transactions);
        Map<String, String> fingerprints = new TreeMap<>();
        for (Class<?> type : CLASSES) {
            String descriptor = factory.get(type).getTypeDescriptor().toString();
            if (!descriptor.startsWith(PREFIX)) throw new IllegalStateException(type + " has no fingerprint");
            fingerprints.put(type.getSimpleName(), descriptor.substring(PREFIX.length()));
        }
        return fingerprints;
    }
}
