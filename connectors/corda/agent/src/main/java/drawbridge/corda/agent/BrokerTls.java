package drawbridge.corda.agent;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.concurrent.TimeoutException;

/** AMQP over TLS 1.2 or 1.3, to the one broker whose certificate or authority is configured, under its host name. */
final class BrokerTls {
    private static final int CONNECT_MS = 10_000;
    private static final int HEARTBEAT_SECONDS = 10;
    private static final int MAX_FRAME_BYTES = 131_072;
    /** The client gives up a connection that brings more, so this lies above what is rejected, and is the broker's to refuse. */
    private static final int MAX_INBOUND_BYTES = 16 * 1_048_576;

    private BrokerTls() {
    }

    static Connection connect(Settings.Broker broker) throws IOException, GeneralSecurityException, TimeoutException {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost(broker.host());
        factory.setPort(broker.port());
        factory.setVirtualHost(broker.virtualHost());
        factory.setUsername(broker.user());
        factory.setPassword(Settings.secret(broker.passwordFile()));
        factory.setAutomaticRecoveryEnabled(false);
        factory.setConnectionTimeout(CONNECT_MS);
        factory.setHandshakeTimeout(CONNECT_MS);
        factory.setRequestedHeartbeat(HEARTBEAT_SECONDS);
        factory.setRequestedFrameMax(MAX_FRAME_BYTES);
        factory.setMaxInboundMessageBodySize(MAX_INBOUND_BYTES);
        factory.setThreadFactory(Daemons.named("broker"));
        factory.useSslProtocol(context(broker.certificateFile()));
        factory.enableHostnameVerification();
        return factory.newConnection("drawbridge-corda-agent");
    }

    private static SSLContext context(Path certificateFile) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(certificateFile)) {
            int i = 0;
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                store.setCertificateEntry("broker-" + i++, each);
            }
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
