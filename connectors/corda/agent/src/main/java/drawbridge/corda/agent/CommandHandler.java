package drawbridge.corda.agent;

import drawbridge.corda.agent.operations.NodeCalls;
import drawbridge.corda.agent.operations.Operations;
import drawbridge.corda.contract.CoinState;
import drawbridge.corda.contract.Guard;
import drawbridge.corda.contract.Instruct;
import drawbridge.corda.contract.Kind;
import drawbridge.corda.contract.LockState;
import drawbridge.corda.contract.PermitState;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultPart;
import drawbridge.corda.contract.VaultState;
import drawbridge.corda.flow.DescribeVault;
import drawbridge.corda.flow.ExecuteInstruction;
import drawbridge.corda.flow.FindInstruction;
import drawbridge.corda.flow.FindLock;
import drawbridge.corda.flow.GuardVault;
import net.corda.core.contracts.StateAndRef;
import net.corda.core.contracts.StateRef;
import net.corda.core.crypto.SecureHash;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/** Does what commands say. Verbs, arguments and results: docs/corda-agent-protocol.md. */
final class CommandHandler {
    private static final int MAX_REFS = 66;
    private static final int MAX_TRAIL_BYTES = 256;
    private static final int MAX_GUARDIANS = 32;
    private static final int SIGNATURE_BYTES = 65;
    private static final Set<Long> PAYMENTS = Set.of((long) Kind.RELEASE, (long) Kind.ISSUE, (long) Kind.REFUND);

    private final NodeCalls node;
    private final Flows flows;
    private final ServedVaults vaults;
    private final Transactions transactions;
    private final Payees payees;
    private final Follow follow;
    private final Operations operations;

    /** Sets the cursor back. */
    interface Follow {
        void from(long ms) throws IOException;
    }

    /** @param operations null where the configuration has none. */
    CommandHandler(NodeCalls node, Flows flows, ServedVaults vaults, Transactions transactions, Follow follow, Operations operations) {
        this.node = node;
        this.flows = flows;
        this.vaults = vaults;
        this.transactions = transactions;
        this.payees = new Payees(node);
        this.follow = follow;
        this.operations = operations;
    }

    List<?> handle(Bodies.Command command) throws AgentException {
        List<?> given = command.arguments();
        if (Operations.has(command.verb())) return Operations.handle(operations, command.verb(), given);
        return switch (command.verb()) {
            case "execute" -> execute(given);
            case "find" -> find(new Arguments(given, 2));
            case "find-lock" -> findLock(new Arguments(given, 2));
            case "status" -> status(new Arguments(given, 1));
            case "spender" -> spender(new Arguments(given, 1));
            case "vault" -> VaultDescription.of(flows.ask(DescribeVault.class, vault(new Arguments(given, 1))));
            case "states" -> states(new Arguments(given, 2));
            case "proof" -> proof(new Arguments(given, 1));
            case "follow" -> followFrom(new Arguments(given, 1));
            case "guard" -> guard(given);
            default -> throw Arguments.invalid();
        };
    }

    private byte[] vault(Arguments arguments) throws AgentException {
        return vaults.demand(arguments.word());
    }

    private List<?> execute(List<?> given) throws AgentException {
        Arguments arguments = new Arguments(given, 4);
        byte[] vault = arguments.word();
        Arguments fields = arguments.list(10);
        byte[] id = fields.word();
        long kind = fields.number(Kind.UNPAUSE);
        byte[] subject = fields.word();
        byte[] asset = fields.word();
        long amount = fields.number(Long.MAX_VALUE);
        byte[] beneficiary = fields.word();
        byte[] inputs = fields.word();
        long notAfter = fields.number(Long.MAX_VALUE);
        long epoch = fields.number(Long.MAX_VALUE);
        byte[] trail = fields.bytes(0, MAX_TRAIL_BYTES);
        byte[] signature = arguments.bytes(SIGNATURE_BYTES, SIGNATURE_BYTES);
        List<StateRef> refs = arguments.refs(MAX_REFS, true);
        vaults.demand(vault);
        byte[] sameness = Cbor.encode(List.of("execute", given));
        Instruct instruction = new Instruct(id, (int) kind, subject, asset, amount, beneficiary, inputs, notAfter, epoch, trail,
                signature);
        Object[] asked = PAYMENTS.contains(kind)
                ? new Object[]{vault, instruction, refs, payees.of(beneficiary)}
                : new Object[]{vault, instruction, refs};
        return List.of(hash(executed(vault, id, sameness, asked)));
    }

    /** The flow looks the id up before anything else, and answers with the transaction that it finds. */
    private String executed(byte[] vault, byte[] id, byte[] sameness, Object[] arguments) throws AgentException {
        try {
            return flows.change(sameness, ExecuteInstruction.class, arguments);
        } catch (AgentException failure) {
            // A payment is final before its payee is told: while that one is away, the flow waits for nothing that matters here.
            String done = failure.code() == Code.FLOW_PENDING ? flows.ask(FindInstruction.class, vault, id) : null;
            if (done == null) throw failure;
            return done;
        }
    }

    private List<?> find(Arguments arguments) throws AgentException {
        String done = flows.ask(FindInstruction.class, vault(arguments), arguments.word());
        return Arrays.asList(done == null ? (Object) null : hash(done));
    }

    private List<?> findLock(Arguments arguments) throws AgentException {
        byte[] vault = vault(arguments);
        StateAndRef<LockState> lock = flows.ask(FindLock.class, (Object) arguments.word());
        if (lock == null || !Arrays.equals(lock.getState().getData().getVaultId(), vault)) {
            return Arrays.asList(null, VaultQueries.UNKNOWN);
        }
        List<Long> statuses = node.call(ops -> VaultQueries.statuses(ops, List.of(lock.getRef())));
        return List.of(VaultNames.encode(lock.getRef()), statuses.get(0));
    }

    private List<?> status(Arguments arguments) throws AgentException {
        List<StateRef> refs = arguments.refs(VaultQueries.PAGE, false);
        List<Long> statuses = node.call(ops -> VaultQueries.statuses(ops, refs));
        return List.of(statuses);
    }

    private List<?> spender(Arguments arguments) throws AgentException {
        StateRef ref = arguments.ref();
        SecureHash spender = node.call(ops -> VaultQueries.spender(ops, ref));
        return Arrays.asList(spender == null ? (Object) null : spender.getBytes());
    }

    private List<?> states(Arguments arguments) throws AgentException {
        byte[] vault = vault(arguments);
        int page = (int) arguments.number(100_000) + 1;
        List<StateAndRef<VaultPart>> kept = node.call(ops -> VaultQueries.kept(ops, page));
        List<Object> states = new ArrayList<>();
        for (StateAndRef<VaultPart> state : kept) {
            VaultPart part = state.getState().getData();
            if (Arrays.equals(part.getVaultId(), vault)) states.add(List.of(VaultNames.encode(state.getRef()), kindOf(part)));
        }
        return List.of(states, kept.size() == VaultQueries.PAGE);
    }

    private static int kindOf(VaultPart part) {
        if (part instanceof VaultState) return 1;
        if (part instanceof PermitState) return 2;
        return part instanceof CoinState ? 3 : 4;
    }

    private List<?> proof(Arguments arguments) throws AgentException {
        Transactions.Proven proven = transactions.proof(new SecureHash.SHA256(arguments.word()));
        return List.of(proven.vault(), proven.evidence());
    }

    private List<?> followFrom(Arguments arguments) throws AgentException {
        try {
            follow.from(arguments.number(Long.MAX_VALUE));
        } catch (IOException cause) {
            throw new AgentException(Code.AGENT_FAILED, cause);
        }
        return List.of();
    }

    private List<?> guard(List<?> given) throws AgentException {
        Arguments arguments = new Arguments(given, 4);
        byte[] vault = vault(arguments);
        int action = (int) arguments.number(5);
        byte[] authority = arguments.bytes(0, 20);
        byte[] signatures = arguments.bytes(0, MAX_GUARDIANS * SIGNATURE_BYTES);
        if (authority.length % 20 != 0 || signatures.length % SIGNATURE_BYTES != 0) throw Arguments.invalid();
        byte[] sameness = Cbor.encode(List.of("guard", given));
        return List.of(hash(flows.change(sameness, GuardVault.class, vault, new Guard(action, authority, signatures))));
    }

    private static byte[] hash(String hex) {
        return HexFormat.of().parseHex(hex);
    }
}
