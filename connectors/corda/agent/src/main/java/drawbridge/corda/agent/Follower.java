package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.core.crypto.SecureHash;
import net.corda.core.node.services.Vault;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Hands over every recorded transaction of served vaults as an event, at least once. */
final class Follower implements CommandHandler.Follow {
    private final Settings settings;
    private final SealedBodies bodies;
    private final NodeCalls node;
    private final Line line;
    private final Proofs proofs;
    private final ServedVaults vaults;
    private final CursorFile file;
    private final Cursor cursor;
    private final Object changed = new Object();
    private final Pace pace;
    private final NamedTransactions named;
    private final NodeNews<Vault.Update<?>> news;
    private final HandOverTimes times = new HandOverTimes();
    private boolean stopping;
    private long written;

    /** What events go out by. */
    interface Line {
        /** Null while node or broker are away. */
        Publishing open();
    }

    /** @throws AgentException as {@link Transactions#proof}. */
    interface Proofs {
        Transactions.Proven of(SecureHash transaction) throws AgentException;
    }

    Follower(Settings settings, SealedBodies bodies, NodeCalls node, Line line, Proofs proofs, ServedVaults vaults) throws IOException {
        this.settings = settings;
        this.bodies = bodies;
        this.node = node;
        this.line = line;
        this.proofs = proofs;
        this.vaults = vaults;
        this.file = new CursorFile(settings.stateDir());
        this.written = file.read();
        this.cursor = new Cursor(written);
        this.pace = new Pace(settings.newsGapMs(), settings.pollMs(), settings.quietPollMs());
        this.named = new NamedTransactions(vaults);
        this.news = new NodeNews<>(() -> node.call(VaultQueries::recordings), this::heard, this::wake, Follower::nowMs,
                TimeUnit.SECONDS.toMillis(settings.newsAgainSeconds()));
    }

    long cursorMs() {
        return cursor.position();
    }

    /** There is another connection with the node. */
    void connected() {
        news.renew();
    }

    @Override
    public void from(long ms) throws IOException {
        cursor.back(ms);
        times.forget();
        save();
        wake();
    }

    /** Returns when stopped. */
    void run() throws InterruptedException {
        for (Boolean everything = awaitLook(); everything != null; everything = awaitLook()) {
            Publishing open = line.open();
            // Before the look: what is recorded in between is in one of the two.
            if (open != null) news.ensure();
            List<NamedTransactions.Named> first = named.take();
            try {
                if (open == null) missed();
                else if (everything) poll(open);
                else handOverNamed(open, first);
            } catch (AgentException failed) {
                Log.line("follow-failed", failed.code().name());
                missed();
            } catch (IOException | GeneralSecurityException | RuntimeException failed) {
                Log.error("follow-failed", failed);
                missed();
            }
        }
    }

    void stop() {
        synchronized (changed) {
            stopping = true;
            changed.notifyAll();
        }
        news.close();
    }

    /** All of the node's records since the cursor, up to the first that cannot be handed over. */
    void poll(Publishing open) throws AgentException, IOException, GeneralSecurityException {
        long run = cursor.generation();
        long since = cursor.since();
        for (int page = 1; ; page++) {
            int asked = page;
            List<VaultQueries.Made> made = node.call(ops -> VaultQueries.recordedSince(ops, since, asked));
            for (VaultQueries.Made each : made) {
                if (!vaults.has(each.state())) continue;
                String id = each.ref().getTxhash().toString();
                boolean ahead = cursor.has(id);
                if (ahead) times.recorded(id, each.recordedAtMs());
                boolean gone = ahead || handOver(open, each);
                if (!gone || !cursor.handedOver(id, each.recordedAtMs(), run)) {
                    save();
                    missed();
                    return;
                }
            }
            save();
            if (made.size() < VaultQueries.PAGE) return;
        }
    }

    private boolean handOver(Publishing open, VaultQueries.Made made)
            throws AgentException, GeneralSecurityException {
        if (!publish(open, made.ref().getTxhash(), made.state().getVaultId(), made.recordedAtMs())) return false;
        HandOverTimes.handedOver(made.recordedAtMs(), System.currentTimeMillis());
        return true;
    }

    /** What the news named, without a look at the records: the next look at everything moves the cursor past it. */
    void handOverNamed(Publishing open, List<NamedTransactions.Named> first) throws AgentException, GeneralSecurityException {
        long run = cursor.generation();
        for (NamedTransactions.Named each : first) {
            String id = each.transaction().toString();
            if (cursor.has(id)) continue;
            if (!publish(open, each.transaction(), each.vault(), each.heardAtMs())) {
                missed();
                return;
            }
            times.ahead(id, each.heardAtMs(), System.currentTimeMillis());
            cursor.ahead(id, each.heardAtMs(), run);
        }
    }

    private boolean publish(Publishing open, SecureHash transaction, byte[] vault, long atMs)
            throws AgentException, GeneralSecurityException {
        byte[] event = Bodies.event(vault, transaction.getBytes(), atMs, evidence(transaction));
        String id = Messages.newId();
        byte[] sealed = bodies.seal(event, new Envelope.Context(Envelope.Context.EVENT, settings.network(), id));
        return open.publish("event", Messages.lasting(id, null), sealed);
    }

    /** Empty where no attempt can make one: the event is still due. */
    private byte[] evidence(SecureHash transaction) throws AgentException {
        try {
            return proofs.of(transaction).evidence();
        } catch (AgentException failed) {
            if (failed.code() == Code.PROOF_TOO_LARGE || failed.code() == Code.NOT_OF_A_VAULT) return new byte[0];
            throw failed;
        }
    }

    private synchronized void save() throws IOException {
        long position = cursor.position();
        if (position == written) return;
        file.write(position);
        written = position;
    }

    private void heard(Vault.Update<?> update) {
        if (!named.heard(update, System.currentTimeMillis())) return;
        synchronized (changed) {
            pace.news();
            changed.notifyAll();
        }
    }

    private void wake() {
        synchronized (changed) {
            pace.all();
            changed.notifyAll();
        }
    }

    /** The next look is at everything. */
    private void missed() {
        synchronized (changed) {
            pace.failed();
        }
    }

    /** Null when stopped; true when the look is to be at everything. */
    private Boolean awaitLook() throws InterruptedException {
        synchronized (changed) {
            for (long due = dueInMs(); due > 0 && !stopping; due = dueInMs()) changed.wait(due);
            return stopping ? null : (Boolean) pace.looks(nowMs(), news.isOpen());
        }
    }

    private long dueInMs() {
        return pace.dueInMs(nowMs(), news.isOpen());
    }

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
