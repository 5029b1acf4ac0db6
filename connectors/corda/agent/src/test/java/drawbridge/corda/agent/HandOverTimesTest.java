package drawbridge.corda.agent;

import org.junit.After;
import org.junit.Before;
import org.junit.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import static org.junit.Assert.assertEquals;

public class HandOverTimesTest {
    private static final long T = 1_767_323_045_000L;

    private final PrintStream former = System.err;
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final HandOverTimes times = new HandOverTimes();

    @Before
    public void listen() {
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    }

    @After
    public void restore() {
        System.setErr(former);
    }

    @Test
    public void areToldOnceOfWhatWentOutAheadWhenItsRecordIsSeen() {
        times.ahead("one", T + 20, T + 31);
        assertEquals("", said());
        times.recorded("one", T);
        assertEquals("""
                {"time":"2026-01-02T03:04:05.020Z","event":"event-heard","ms":20}
                {"time":"2026-01-02T03:04:05.031Z","event":"event-handed-over","ms":31}
                """, said());
        times.recorded("one", T);
        times.recorded("another", T);
        assertEquals(2, said().lines().count());
    }

    @Test
    public void waitForNoMoreRecordsThanTheBound() {
        for (int i = 0; i <= HandOverTimes.MOST; i++) times.ahead(Integer.toString(i), T, T);
        times.recorded("0", T);
        assertEquals("", said());
        times.recorded("1", T);
        assertEquals(2, said().lines().count());
    }

    @Test
    public void areForgottenWhenAllComesAgain() {
        times.ahead("one", T, T);
        times.forget();
        times.recorded("one", T);
        assertEquals("", said());
    }

    private String said() {
        return log.toString(StandardCharsets.UTF_8);
    }
}
