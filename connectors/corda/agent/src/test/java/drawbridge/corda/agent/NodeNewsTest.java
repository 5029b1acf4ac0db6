package drawbridge.corda.agent;

import org.junit.Test;
import rx.Observable;
import rx.subjects.PublishSubject;

import java.util.ArrayList;
import java.util.List;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

/** Feeds of a node: when one is opened and closed, and who is told. */
public class NodeNewsTest {
    private final List<PublishSubject<Object>> feeds = new ArrayList<>();
    private static final long AGAIN_MS = 60_000;
    private final List<Object> items = new ArrayList<>();
    private int missed;
    private long now = 1_000;
    private Exception refusal;
    private Runnable whileOpening = () -> {
    };
    private final NodeNews<Object> news = new NodeNews<>(this::open, items::add, () -> missed++, () -> now, AGAIN_MS);

    private Observable<Object> open() throws AgentException {
        if (refusal instanceof AgentException known) throw known;
        if (refusal instanceof RuntimeException unknown) throw unknown;
        PublishSubject<Object> feed = PublishSubject.create();
        feeds.add(feed);
        whileOpening.run();
        return feed;
    }

    private PublishSubject<Object> feed(int place) {
        return feeds.get(place);
    }

    @Test
    public void everyItemIsTold() {
        assertFalse(news.isOpen());
        news.ensure();
        feed(0).onNext("recorded");
        feed(0).onNext("recorded too");
        assertEquals(List.of("recorded", "recorded too"), items);
        assertEquals(0, missed);
        assertTrue(news.isOpen());
    }

    @Test
    public void oneFeedIsOpen() {
        news.ensure();
        now += 10 * AGAIN_MS;
        news.ensure();
        assertEquals(1, feeds.size());
    }

    @Test
    public void anotherConnectionClosesTheFeedOfTheLastAndSomethingMayBeMissed() {
        news.ensure();
        news.renew();
        assertFalse(feed(0).hasObservers());
        assertEquals(1, missed);
        news.ensure();
        assertTrue(feed(1).hasObservers());
    }

    @Test
    public void ofAFeedThatEndsOrFailsSomethingMayBeMissedAndItIsOpenedAnewAfterAPause() {
        news.ensure();
        feed(0).onError(new IllegalStateException("gone"));
        assertEquals(1, missed);
        opensOnlyAfterThePause(1);
        feed(1).onCompleted();
        assertEquals(2, missed);
        opensOnlyAfterThePause(2);
    }

    private void opensOnlyAfterThePause(int place) {
        news.ensure();
        now += AGAIN_MS - 1;
        news.ensure();
        assertEquals(place, feeds.size());
        now += 1;
        news.ensure();
        assertTrue(feed(place).hasObservers());
    }

    @Test
    public void aRefusalIsTriedAgainAfterThePauseOrOnAnotherConnection() {
        for (Exception each : new Exception[]{new AgentException(Code.NODE_UNAVAILABLE), new IllegalStateException("no permission")}) {
            refusal = each;
            news.renew();
            news.ensure();
            refusal = null;
            news.ensure();
            assertEquals(0, feeds.size());
        }
        opensOnlyAfterThePause(0);
        refusal = new AgentException(Code.FLOW_FAILED);
        news.renew();
        news.ensure();
        refusal = null;
        news.renew();
        news.ensure();
        assertTrue(feed(1).hasObservers());
    }

    @Test
    public void aFeedThatOpensAfterItsConnectionWasReplacedIsClosed() {
        whileOpening = news::renew;
        news.ensure();
        assertFalse(feed(0).hasObservers());
        whileOpening = () -> {
        };
        news.ensure();
        assertTrue(feed(1).hasObservers());
    }

    @Test
    public void lateWordsOfAFormerFeedEndNothing() {
        news.ensure();
        PublishSubject<Object> former = feed(0);
        news.renew();
        news.ensure();
        former.onCompleted();
        assertTrue(feed(1).hasObservers());
    }

    @Test
    public void closedIsForGoodAlsoWhileOneOpens() {
        news.ensure();
        news.close();
        assertFalse(feed(0).hasObservers());
        news.renew();
        news.ensure();
        assertEquals(1, feeds.size());

        NodeNews<Object> other = new NodeNews<>(this::open, items::add, () -> missed++, () -> now, AGAIN_MS);
        whileOpening = other::close;
        other.ensure();
        assertFalse(feed(1).hasObservers());
    }
}
