package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.flow.FindLock;
import drawbridge.corda.flow.LockValue;
import drawbridge.corda.flow.MoveTokens;
import net.corda.core.contracts.Amount;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.messaging.CordaRPCOps;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.finance.flows.AbstractCashFlow;
import net.corda.finance.flows.CashIssueAndPaymentFlow;

import java.util.Currency;
import java.util.HexFormat;

/** Does one command at one node. Commands, arguments and answers: this tool's README. */
final class Commands {
    private Commands() {
    }

    static ObjectNode run(CordaRPCOps node, String command, Input input) throws ToolException {
        return switch (command) {
            case "about" -> NodeFacts.about(node);
            case "registration" -> NodeFacts.registration(node, input);
            case "create" -> VaultCreation.create(node, input);
            case "describe" -> VaultViews.describe(node, input.bytes("vault", 32));
            case "lock" -> lock(node, input);
            case "find-lock" -> findLock(node, input.bytes("lock", 32));
            case "move" -> move(node, input);
            case "guardian-message" -> Guarding.message(node, input);
            case "guard" -> Guarding.submit(node, input);
            case "balance" -> Balances.of(node);
            case "issue-cash" -> issueCash(node, input);
            default -> throw new ToolException("ARGUMENTS", "there is no command " + command);
        };
    }

    private static ObjectNode lock(CordaRPCOps node, Input input) throws ToolException {
        String lock = Flows.run(node, LockValue.class, Flows.party(node, input.text("vaultParty")), input.bytes("vault", 32),
                input.bytes("reference", 32), input.number("amountMinor"));
        return findLock(node, HexFormat.of().parseHex(lock));
    }

    private static ObjectNode findLock(CordaRPCOps node, byte[] id) throws ToolException {
        StateAndRef<LockState> lock = Flows.run(node, FindLock.class, (Object) id);
        if (lock == null) throw new ToolException("LOCK_UNKNOWN", "this node knows no lock of that id");
        LockState state = lock.getState().getData();
        return Output.JSON.objectNode().put("lock", Output.hex(id)).put("ref", Output.ref(lock.getRef()))
                .put("vault", Output.hex(state.getVaultId())).put("reference", Output.hex(state.getReference()))
                .put("amountMinor", Long.toString(state.getAmount()));
    }

    private static ObjectNode move(CordaRPCOps node, Input input) throws ToolException {
        String transaction = Flows.run(node, MoveTokens.class, input.bytes("vault", 32), input.number("amountMinor"),
                Flows.party(node, input.text("to")));
        return transaction(transaction);
    }

    /** Of the node's own issue, to whoever is named: an issuer's business, and how development networks get cash. */
    private static ObjectNode issueCash(CordaRPCOps node, Input input) throws ToolException {
        Amount<Currency> amount = new Amount<>(input.number("amountMinor"), currency(input.text("currency")));
        AbstractCashFlow.Result paid = Flows.run(node, CashIssueAndPaymentFlow.class, amount,
                new OpaqueBytes(input.bytes("issuerReference")), Flows.party(node, input.text("to")), false,
                Flows.notary(node, input));
        return transaction(paid.getStx().getId().toString());
    }

    private static Currency currency(String code) throws ToolException {
        try {
            return Currency.getInstance(code);
        } catch (IllegalArgumentException cause) {
            throw new ToolException("ARGUMENTS", "currency must be an ISO 4217 code", cause);
        }
    }

    private static ObjectNode transaction(String id) {
        return Output.JSON.objectNode().put("transaction", Output.hex(HexFormat.of().parseHex(id.toLowerCase(java.util.Locale.ROOT))));
    }
}
