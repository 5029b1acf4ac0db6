package drawbridge.corda.agent;

import net.corda.core.crypto.SecureHash;
import net.corda.core.messaging.CordaRPCOps;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;

/** Hands over every recorded transaction of served vaults as an event, at least once. */
final class Follower implements CommandHandler.Follow {
    private final Settings settings;
    private final SealedBodies bodies;
    private final NodeLink node;
    private final BrokerLink broker;
    private final Transactions transactions;
    private final ServedVaults vaults;
    private final CursorFile file;
    private final Cursor cursor;
    private final Object changed = new Object();
    private boolean woken;
    private boolean stopping;
    private long written;

    Follower(Settings settings, SealedBodies bodies, NodeLink node, BrokerLink broker, Transactions transactions,
             ServedVaults vaults) throws IOException {
        this.settings = settings;
        this.bodies = bodies;
        this.node = node;
        this.broker = broker;
        this.transactions = transactions;
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
            BrokerLink.Session session = broker.session();
            if (session == null || !node.isUp()) continue;
            try {
                poll(session);
                save();
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
    private void poll(BrokerLink.Session session) throws AgentException, IOException, GeneralSecurityException {
        long run = cursor.generation();
        long since = cursor.since();
        for (int page = 1; ; page++) {
            int asked = page;
            List<VaultQueries.Made> made = node.call(ops -> VaultQueries.recordedSince(ops, since, asked));
            for (VaultQueries.Made each : made) {
                String id = each.ref().getTxhash().toString();
                if (!vaults.has(each.state()) || cursor.has(id)) continue;
                if (!handOver(session, each) || !cursor.handedOver(id, each.recordedAtMs(), run)) return;
            }
            save();
            if (made.size() < VaultQueries.PAGE) return;
        }
    }

    private boolean handOver(BrokerLink.Session session, VaultQueries.Made made)
            throws AgentException, GeneralSecurityException {
        SecureHash transaction = made.ref().getTxhash();
        byte[] event = Bodies.event(made.state().getVaultId(), transaction.getBytes(), made.recordedAtMs(),
                evidence(transaction));
        String id = Messages.newId();
        byte[] sealed = bodies.seal(event, new Envelope.Context(Envelope.Context.EVENT, settings.network(), id));
        return session.publish("event", Messages.lasting(id, null), sealed);
    }

    /** Empty where no attempt can make one: the event is still due. */
    private byte[] evidence(SecureHash transaction) throws AgentException {
        try {
            return transactions.proof(transaction).evidence();
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
