package drawbridge.corda.agent;

/** Codes of errors as they stand in replies: stable. Their meaning: docs/corda-agent-protocol.md. */
public enum Code {
    COMMAND_INVALID, VAULT_NOT_SERVED, PAYEE_UNKNOWN, REFUSED, NOTARY_REFUSED, FLOW_PENDING, FLOW_FAILED, NODE_UNAVAILABLE,
    TRANSACTION_UNKNOWN, NOT_OF_A_VAULT, PROOF_TOO_LARGE, AGENT_FAILED,
    OPERATION_NOT_ALLOWED, OBJECT_INVALID, COMMAND_EXPIRED, BUSY, RESULT_TOO_LARGE
}
