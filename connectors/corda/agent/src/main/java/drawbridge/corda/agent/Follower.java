package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import net.corda.core.crypto.SecureHash;
import net.corda.core.messaging.CordaRPCOps;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;

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
    private boolean woken;
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
    }

    long cursorMs() {
        return cursor.position();
    }

    /** Subscribes to the node's own news, so that no poll is waited for. */
    void listen(CordaRPCOps ops) {
        VaultQueries.recordings(ops).subscribe(any -> wake(), lost -> wake());
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

    private void wake() {
        synchronized (changed) {
            woken = true;
            changed.notifyAll();
        }
    }

    /** True when stopped. */
    private boolean awaitNews() throws InterruptedException {
        synchronized (changed) {
            if (!woken && !stopping) changed.wait(settings.pollMs());
            woken = false;
            return stopping;
        }
    }
}
