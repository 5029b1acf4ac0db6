package drawbridge.corda.agent;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ReturnCallback;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** A connection with a broker whose answers the test sets. */
final class BrokerDouble {
    enum Answer { CONFIRMED, REFUSED, RETURNED, SILENT, BROKEN }

    /** In turn; the last stays. */
    final List<Answer> answers = new ArrayList<>(List.of(Answer.CONFIRMED));
    /** What was done, by name, with the routing key or the delivery's tag. */
    final List<String> done = Collections.synchronizedList(new ArrayList<>());
    volatile boolean open = true;
    private ReturnCallback returned;

    Connection connection() {
        return proxy(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "createChannel" -> channel();
            case "abort" -> {
                open = false;
                done.add("abort");
                yield null;
            }
            default -> throw new AssertionError(method);
        });
    }

    static Delivery delivery(long tag, String messageId, byte[] body) {
        return new Delivery(new Envelope(tag, false, "", ""), new AMQP.BasicProperties.Builder().messageId(messageId).build(), body);
    }

    private Channel channel() {
        return proxy(Channel.class, (self, method, arguments) -> switch (method.getName()) {
            case "confirmSelect" -> null;
            case "addReturnListener" -> {
                returned = (ReturnCallback) arguments[0];
                yield null;
            }
            case "isOpen" -> open;
            case "basicPublish" -> {
                done.add("publish " + arguments[1]);
                if (answers.get(0) == Answer.BROKEN) throw new IOException("broken");
                yield null;
            }
            case "waitForConfirms" -> confirmed();
            case "basicAck", "basicReject" -> {
                done.add(method.getName() + " " + arguments[0]);
                yield null;
            }
            default -> throw new AssertionError(method);
        });
    }

    private boolean confirmed() throws TimeoutException {
        Answer answer = answers.size() > 1 ? answers.remove(0) : answers.get(0);
        if (answer == Answer.SILENT) throw new TimeoutException();
        if (answer == Answer.RETURNED) returned.handle(null);
        return answer != Answer.REFUSED;
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, handler));
    }
}
