package drawbridge.corda.contract;

import org.junit.Test;

import java.util.Arrays;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

/** Every field of a vault's control after each change: tests on a ledger compare with these very methods. */
public class ControlTest {
    private static final byte[] AUTHORITY = filled(20, 1);
    private static final byte[] NEXT = filled(20, 2);
    private static final byte[] PROPOSED = filled(20, 3);
    private static final byte[] ID = filled(32, 4);
    private static final byte[] LAST = filled(32, 5);
    private static final byte[] NONE = new byte[0];
    private static final byte[] ZERO = new byte[32];
    private static final VaultControl C = new VaultControl(AUTHORITY, 7, 11, LAST, true, false, 13, PROPOSED);

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static void is(VaultControl c, byte[] authority, long epoch, long nonce, byte[] last, boolean byAuthority,
                           boolean byGuardian, long notBefore, byte[] proposed) {
        assertArrayEquals(authority, c.getAuthority());
        assertEquals(epoch, c.getEpoch());
        assertEquals(nonce, c.getGuardianNonce());
        assertArrayEquals(last, c.getLastInstruction());
        assertEquals(byAuthority, c.getPausedByAuthority());
        assertEquals(byGuardian, c.getPausedByGuardian());
        assertEquals(notBefore, c.getProposalNotBefore());
        assertArrayEquals(proposed, c.getProposedAuthority());
    }

    @Test
    public void eachChangeMakesExactlyThis() {
        is(VaultControl.first(AUTHORITY), AUTHORITY, 1, 0, ZERO, false, false, 0, NONE);
        is(C.rotated(NEXT, ID), NEXT, 8, 11, ID, true, false, 13, PROPOSED);
        is(C.pausedByAuthority(false, ID), AUTHORITY, 7, 11, ID, false, false, 13, PROPOSED);
        is(VaultControl.first(AUTHORITY).pausedByAuthority(true, ID), AUTHORITY, 1, 0, ID, true, false, 0, NONE);
        is(C.pausedByGuardian(true), AUTHORITY, 7, 12, ZERO, true, true, 13, PROPOSED);
        is(C.pausedByGuardian(true).pausedByGuardian(false), AUTHORITY, 7, 13, ZERO, true, false, 13, PROPOSED);
        is(C.proposed(NEXT, 17), AUTHORITY, 7, 12, ZERO, true, false, 17, NEXT);
        is(C.cancelled(), AUTHORITY, 7, 12, ZERO, true, false, 0, NONE);
        is(C.completed(), PROPOSED, 8, 11, ZERO, true, false, 0, NONE);
    }

    @Test
    public void eitherPausesIt() {
        VaultControl free = VaultControl.first(AUTHORITY);
        assertFalse(free.paused());
        assertTrue(free.pausedByAuthority(true, ID).paused());
        assertTrue(free.pausedByGuardian(true).paused());
        assertTrue(free.pausedByGuardian(true).pausedByAuthority(true, ID).paused());
    }

    @Test
    public void equalMeansEveryField() {
        VaultControl same = new VaultControl(AUTHORITY, 7, 11, LAST, true, false, 13, PROPOSED);
        assertEquals(C, same);
        assertEquals(C.hashCode(), same.hashCode());
        VaultControl[] others = {
            new VaultControl(NEXT, 7, 11, LAST, true, false, 13, PROPOSED), new VaultControl(AUTHORITY, 8, 11, LAST, true, false, 13, PROPOSED),
            new VaultControl(AUTHORITY, 7, 12, LAST, true, false, 13, PROPOSED), new VaultControl(AUTHORITY, 7, 11, ID, true, false, 13, PROPOSED),
            new VaultControl(AUTHORITY, 7, 11, LAST, false, false, 13, PROPOSED), new VaultControl(AUTHORITY, 7, 11, LAST, true, true, 13, PROPOSED),
            new VaultControl(AUTHORITY, 7, 11, LAST, true, false, 14, PROPOSED), new VaultControl(AUTHORITY, 7, 11, LAST, true, false, 13, NEXT)};
        for (VaultControl other : others) assertNotEquals(C, other);
        assertNotEquals(C, "a text");
    }
}
