package drawbridge.corda.agent;

import com.rabbitmq.client.AMQP;

/** Hands messages to the broker. */
interface Publishing {
    /** False unless the broker took it over and some queue has it. */
    boolean publish(String routingKey, AMQP.BasicProperties properties, byte[] body);
}
