package drawbridge.corda.agent;

import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A list of a command, read item by item; what is of another kind or out of its bounds is {@code COMMAND_INVALID}. */
final class Arguments {
    private static final int REF_BYTES = 36;

    private final List<?> items;
    private int at;

    Arguments(Object value, int length) throws AgentException {
        if (!(value instanceof List<?> list) || list.size() != length) throw invalid();
        this.items = list;
    }

    static AgentException invalid() {
        return new AgentException(Code.COMMAND_INVALID);
    }

    byte[] word() throws AgentException {
        return bytes(32, 32);
    }

    byte[] bytes(int min, int max) throws AgentException {
        if (!(items.get(at++) instanceof byte[] bytes) || bytes.length < min || bytes.length > max) throw invalid();
        return bytes;
    }

    long number(long max) throws AgentException {
        if (!(items.get(at++) instanceof Long number) || number < 0 || number > max) throw invalid();
        return number;
    }

    Arguments list(int length) throws AgentException {
        return new Arguments(items.get(at++), length);
    }

    StateRef ref() throws AgentException {
        return refOf(bytes(REF_BYTES, REF_BYTES));
    }

    /** @param ascending each greater than the one before it. */
    List<StateRef> refs(int max, boolean ascending) throws AgentException {
        if (!(items.get(at++) instanceof List<?> list) || list.isEmpty() || list.size() > max) throw invalid();
        List<StateRef> refs = new ArrayList<>();
        byte[] before = null;
        for (Object item : list) {
            if (!(item instanceof byte[] bytes) || bytes.length != REF_BYTES) throw invalid();
            if (ascending && before != null && Arrays.compareUnsigned(before, bytes) >= 0) throw invalid();
            refs.add(refOf(bytes));
            before = bytes;
        }
        return refs;
    }

    private static StateRef refOf(byte[] bytes) throws AgentException {
        int index = ByteBuffer.wrap(bytes).getInt(32);
        if (index < 0) throw invalid();
        return new StateRef(new SecureHash.SHA256(Arrays.copyOf(bytes, 32)), index);
    }
}
