package drawbridge.corda.liar;

import net.corda.core.flows.FlowLogic;

/** Of the flows that are registered for one initiator a node takes the one with the most ancestors: one of these. */
abstract class Preferred extends FlowLogic<Void> {
}
