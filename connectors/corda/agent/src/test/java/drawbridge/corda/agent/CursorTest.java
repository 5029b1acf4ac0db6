package drawbridge.corda.agent;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

public class CursorTest {
    private static final long T = 1_700_000_000_000L;

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void whatWentAheadIsKnownAndMovesNothing() {
        Cursor cursor = new Cursor(T);
        cursor.ahead("a", T + 5, cursor.generation());
        assertTrue(cursor.has("a"));
        assertEquals(T, cursor.position());
        assertTrue(cursor.handedOver("a", T + 5, cursor.generation()));
        assertEquals(T + 5, cursor.position());
        long run = cursor.generation();
        cursor.back(T);
        cursor.ahead("b", T + 6, run);
        assertFalse(cursor.has("b"));
    }

    @Test
    public void asksForTheLastMinuteAgainAndKnowsWhatWasHandedOver() {
        Cursor cursor = new Cursor(0);
        assertEquals(0, cursor.since());
        assertTrue(cursor.handedOver("a", T, cursor.generation()));
        assertEquals(T, cursor.position());
        assertEquals(T - Cursor.OVERLAP_MS, cursor.since());
        assertTrue(cursor.has("a"));
        assertTrue(cursor.handedOver("late", T - 5, cursor.generation()));
        assertEquals(T, cursor.position());
    }

    @Test
    public void forgetsOnlyWhatIsNoLongerAskedFor() {
        Cursor cursor = new Cursor(0);
        cursor.handedOver("a", T, 0);
        cursor.handedOver("b", T + Cursor.OVERLAP_MS, 0);
        assertTrue(cursor.has("a"));
        cursor.handedOver("c", T + Cursor.OVERLAP_MS + 1, 0);
        assertFalse(cursor.has("a"));
        assertTrue(cursor.has("b"));
    }

    @Test
    public void goesBackAndNeverForwardAndARunOfBeforeChangesNothing() {
        Cursor cursor = new Cursor(T);
        long run = cursor.generation();
        cursor.back(T + 1);
        assertEquals(run, cursor.generation());
        assertTrue(cursor.handedOver("a", T, run));
        cursor.back(T - 10);
        assertFalse(cursor.has("a"));
        assertFalse(cursor.handedOver("b", T + 10, run));
        assertEquals(T - 10, cursor.position());
        assertFalse(cursor.has("b"));
    }

    @Test
    public void theFileKeepsItAndSomethingElseInItIsNoCursor() throws IOException {
        Path dir = folder.getRoot().toPath().resolve("state");
        CursorFile file = new CursorFile(dir);
        assertEquals(0, file.read());
        file.write(T);
        assertEquals(T, new CursorFile(dir).read());
        Files.writeString(dir.resolve("cursor"), "yesterday");
        assertThrows(IOException.class, file::read);
    }
}
