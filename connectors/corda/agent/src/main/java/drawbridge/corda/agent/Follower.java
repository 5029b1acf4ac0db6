package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.core.crypto.SecureHash;

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
    private final NodeNews news;
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
        this.pace = new Pace(settings.pollMs());
        this.news = new NodeNews(() -> node.call(VaultQueries::recordings), this::wake, Follower::nowMs);
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
        save();
        wake();
    }

    /** Returns when stopped. */
    void run() throws InterruptedException {
        while (!awaitNews()) {
            Publishing open = line.open();
            if (open == null) continue;
            // Before the look: what is recorded in between is in one of the two.
            news.ensure();
            try {
                poll(open);
            } catch (AgentException failed) {
                Log.line("follow-failed", failed.code().name());
            } catch (IOException | GeneralSecurityException | RuntimeException failed) {
                Log.error("follow-failed", failed);
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

    /** Up to the first that cannot be handed over. */
    void poll(Publishing open) throws AgentException, IOException, GeneralSecurityException {
        long run = cursor.generation();
        long since = cursor.since();
        for (int page = 1; ; page++) {
            int asked = page;
            List<VaultQueries.Made> made = node.call(ops -> VaultQueries.recordedSince(ops, since, asked));
            for (VaultQueries.Made each : made) {
                String id = each.ref().getTxhash().toString();
                if (!vaults.has(each.state()) || cursor.has(id)) continue;
                if (!handOver(open, each) || !cursor.handedOver(id, each.recordedAtMs(), run)) {
                    save();
                    return;
                }
            }
            save();
            if (made.size() < VaultQueries.PAGE) return;
        }
    }

    private boolean handOver(Publishing open, VaultQueries.Made made)
            throws AgentException, GeneralSecurityException {
        SecureHash transaction = made.ref().getTxhash();
        byte[] event = Bodies.event(made.state().getVaultId(), transaction.getBytes(), made.recordedAtMs(),
                evidence(transaction));
        String id = Messages.newId();
        byte[] sealed = bodies.seal(event, new Envelope.Context(Envelope.Context.EVENT, settings.network(), id));
        if (!open.publish("event", Messages.lasting(id, null), sealed)) return false;
        // Since the node stamped it, by the node's clock.
        Log.took("event-handed-over", System.currentTimeMillis() - made.recordedAtMs());
        return true;
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

    private void wake() {
        synchronized (changed) {
            pace.news();
            changed.notifyAll();
        }
    }

    /** True when stopped. */
    private boolean awaitNews() throws InterruptedException {
        synchronized (changed) {
            for (long due = pace.dueInMs(nowMs()); due > 0 && !stopping; due = pace.dueInMs(nowMs())) changed.wait(due);
            pace.looks(nowMs());
            return stopping;
        }
    }

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }
}
