package drawbridge.corda.agent;

import drawbridge.corda.contract.VaultNames;
import kotlin.Pair;
import net.corda.core.crypto.Crypto;
import net.corda.core.flows.FlowException;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;
import net.corda.core.identity.PartyAndCertificate;
import net.corda.core.node.NodeInfo;
import net.corda.core.utilities.NetworkHostAndPort;
import net.corda.nodeapi.internal.crypto.CertificateType;
import net.corda.nodeapi.internal.crypto.X509Utilities;
import org.junit.Test;

import javax.security.auth.x500.X500Principal;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

/** What commands start at the node, and what they never do. */
public class CommandHandlerTest {
    private static final byte[] VAULT = word(7);
    private static final String DONE = "AB".repeat(32);

    private final NodeDouble node = new NodeDouble().on("FindInstruction", any -> null).on("removeClientId", any -> true);
    private final List<Long> followed = new ArrayList<>();
    private final ServedVaults vaults = new ServedVaults(List.of("0x" + "07".repeat(32)));
    private final CommandHandler handler = new CommandHandler(node, new Flows(node, 1), vaults,
            new Transactions("corda", node, vaults), followed::add, null);

    private static byte[] word(int with) {
        byte[] word = new byte[32];
        Arrays.fill(word, (byte) with);
        return word;
    }

    private static List<Object> instruction(long kind, long amount, byte[] beneficiary) {
        return new ArrayList<>(List.of(word(1), kind, word(2), word(3), amount, beneficiary, word(4), 0L, 1L, new byte[0]));
    }

    private static List<Object> execute(byte[] vault, List<?> instruction) {
        return new ArrayList<>(List.of(vault, instruction, new byte[65], List.of(new byte[36])));
    }

    private List<?> said(String verb, List<?> arguments) throws AgentException {
        return handler.handle(new Bodies.Command(verb, arguments));
    }

    private AgentException refused(String verb, List<?> arguments) {
        return assertThrows(AgentException.class, () -> said(verb, arguments));
    }

    @Test
    public void theFlowThatLooksFirstIsAllThatIsAskedOfTheNode() throws AgentException {
        node.on("ExecuteInstruction", any -> DONE);
        List<?> answer = said("execute", execute(VAULT, instruction(4, 0, word(0))));
        assertEquals(1, answer.size());
        assertArrayEquals(HexFormat.of().parseHex(DONE), (byte[]) answer.get(0));
        assertEquals(2, node.asked.size());
        assertTrue(node.asked.get(0).startsWith("ExecuteInstruction#"));
        assertEquals("what a flow left is removed", "removeClientId", node.asked.get(1));
    }

    @Test
    public void theSameCommandJoinsTheFlowThatRunsAndAnotherDoesNot() throws AgentException {
        node.on("ExecuteInstruction", any -> DONE);
        said("execute", execute(VAULT, instruction(4, 0, word(0))));
        said("execute", execute(VAULT, instruction(4, 0, word(0))));
        said("execute", execute(VAULT, instruction(5, 0, word(0))));
        List<String> started = node.asked.stream().filter(each -> each.contains("#")).toList();
        assertEquals(started.get(0), started.get(1));
        assertTrue(!started.get(0).equals(started.get(2)));
    }

    @Test
    public void aFlowThatRunsKeepsItsNameAndOneThatFailedLosesIt() {
        node.on("ExecuteInstruction", any -> NodeDouble.PENDING);
        assertEquals(Code.FLOW_PENDING, refused("execute", execute(VAULT, instruction(4, 0, word(0)))).code());
        assertTrue(!node.asked.contains("removeClientId"));
        node.on("ExecuteInstruction", any -> new FlowException("REFUSED: CAP: too much for Alice"));
        AgentException refusal = refused("execute", execute(VAULT, instruction(4, 0, word(0))));
        assertEquals(Code.REFUSED, refusal.code());
        assertEquals("CAP", refusal.detail());
        assertTrue(node.asked.contains("removeClientId"));
    }

    @Test
    public void aPaymentThatIsFinalWhileItsFlowWaitsForThePayeeIsAnswered() throws AgentException {
        node.on("ExecuteInstruction", any -> NodeDouble.PENDING).on("FindInstruction", any -> DONE);
        List<?> answer = said("execute", execute(VAULT, instruction(4, 0, word(0))));
        assertArrayEquals(HexFormat.of().parseHex(DONE), (byte[]) answer.get(0));
        assertTrue("the flow keeps its name", !node.asked.contains("removeClientId"));
    }

    @Test
    public void aPaymentGoesToTheOnePartyOfThatKey() throws AgentException {
        Party payee = party("Aurora Bank", 1);
        node.on("networkMapSnapshot", any -> List.of(node(payee), node(party("Boreal Bank", 2))));
        List<Object[]> given = new ArrayList<>();
        node.on("ExecuteInstruction", arguments -> {
            given.add(arguments);
            return DONE;
        });
        said("execute", execute(VAULT, instruction(1, 5, VaultNames.accountWord(payee.getOwningKey()))));
        assertEquals(payee, given.get(0)[3]);
        assertEquals(Code.PAYEE_UNKNOWN, refused("execute", execute(VAULT, instruction(1, 5, word(9)))).code());
        assertEquals(1, given.size());
    }

    @Test
    public void aKeyOfTwoNamesStandsForNobody() {
        Party payee = party("Aurora Bank", 1);
        Party other = new Party(new CordaX500Name("Other", "Rome", "IT"), payee.getOwningKey());
        node.on("networkMapSnapshot", any -> List.of(node(payee), node(other)));
        byte[] word = VaultNames.accountWord(payee.getOwningKey());
        assertEquals(Code.PAYEE_UNKNOWN, refused("execute", execute(VAULT, instruction(1, 5, word))).code());
    }

    @Test
    public void ofVaultsThatAreNotServedNothingIsAskedAndNothingDone() {
        byte[] other = word(8);
        for (List<?> command : List.of(List.of("execute", execute(other, instruction(4, 0, word(0)))),
                List.of("find", List.of(other, word(1))), List.of("find-lock", List.of(other, word(1))),
                List.of("vault", List.of(other)), List.of("states", List.of(other, 0L)),
                List.of("guard", List.of(other, 1L, new byte[0], new byte[65])))) {
            assertEquals(Code.VAULT_NOT_SERVED, refused((String) command.get(0), (List<?>) command.get(1)).code());
        }
        assertEquals(List.of(), node.asked);
    }

    @Test
    public void whatIsOutOfBoundsReachesNoNode() {
        List<Object> long257 = instruction(4, 0, word(0));
        long257.set(9, new byte[257]);
        List<Object> twice = execute(VAULT, instruction(4, 0, word(0)));
        twice.set(3, List.of(new byte[36], new byte[36]));
        List<Object> unsigned = execute(VAULT, instruction(4, 0, word(0)));
        unsigned.set(2, new byte[64]);
        for (List<?> arguments : List.of(execute(VAULT, long257), twice, unsigned, execute(VAULT, instruction(8, 0, word(0))),
                execute(VAULT, instruction(4, -1, word(0))), List.of())) {
            assertEquals(Code.COMMAND_INVALID, refused("execute", arguments).code());
        }
        assertEquals(Code.COMMAND_INVALID, refused("guard", List.of(VAULT, 6L, new byte[0], new byte[0])).code());
        assertEquals(Code.COMMAND_INVALID, refused("guard", List.of(VAULT, 1L, new byte[19], new byte[0])).code());
        assertEquals(Code.COMMAND_INVALID, refused("guard", List.of(VAULT, 1L, new byte[0], new byte[33 * 65])).code());
        assertEquals(Code.COMMAND_INVALID, refused("status", List.of(Collections.nCopies(201, new byte[36]))).code());
        assertEquals(List.of(), node.asked);
    }

    @Test
    public void followSetsTheCursor() throws AgentException {
        assertEquals(List.of(), said("follow", List.of(12L)));
        assertEquals(List.of(12L), followed);
        assertEquals(Code.COMMAND_INVALID, refused("follow", List.of(-1L)).code());
    }

    private static Party party(String organisation, int seed) {
        var keys = Crypto.deriveKeyPairFromEntropy(Crypto.EDDSA_ED25519_SHA512, BigInteger.valueOf(seed));
        return new Party(new CordaX500Name(organisation, "London", "GB"), keys.getPublic());
    }

    private static NodeInfo node(Party party) {
        var days = new Pair<>(Duration.ofDays(1), Duration.ofDays(1));
        var rootKeys = Crypto.generateKeyPair(Crypto.ECDSA_SECP256R1_SHA256);
        X500Principal rootName = new X500Principal("O=Root,L=London,C=GB");
        X509Certificate root = X509Utilities.createSelfSignedCACertificate(rootName, rootKeys, days);
        X509Certificate own = X509Utilities.createCertificate(CertificateType.LEGAL_IDENTITY, root, rootKeys,
                party.getName().getX500Principal(), party.getOwningKey(), days, null, null, null);
        PartyAndCertificate identity = new PartyAndCertificate(X509Utilities.INSTANCE.buildCertPath(own, root));
        return new NodeInfo(List.of(new NetworkHostAndPort("127.0.0.1", 1)), List.of(identity), 12, 1);
    }
}
