import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.time.Instant;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import net.corda.core.contracts.*;
import net.corda.core.crypto.*;
import net.corda.core.identity.*;
import net.corda.core.internal.TransactionUtilsKt;
import net.corda.core.transactions.*;
import net.corda.core.utilities.OpaqueBytes;
import net.corda.core.serialization.SerializationAPIKt;
import net.corda.finance.contracts.asset.Cash;
import net.corda.nodeapi.internal.rpc.client.AMQPClientSerializationScheme;

/**
 * Writes transactions that Corda's own classes built, hashed, serialised and signed, with what no recording has: ECDSA keys,
 * batches of several transactions, platform versions above 127, time windows, other constraints. Argument: the folder.
 */
public final class CordaVectors {
  private static final String CONTRACT = "net.corda.finance.contracts.asset.Cash";

  private final Path folder;
  private final List<String> entries = new ArrayList<>();

  private CordaVectors(Path folder) {
    this.folder = folder;
  }

  /** What differs between the transactions. `position`: of the transaction in a batch of `batch`. */
  private static final class Shape {
    String id, what;
    SignatureScheme notaryScheme = Crypto.EDDSA_ED25519_SHA512, partyScheme = Crypto.EDDSA_ED25519_SHA512;
    int platformVersion = 12, inputs = 1, outputs = 1, batch = 1, position = 0;
    TimeWindow window;
    AttachmentConstraint constraint;
    Integer encumbrance;
    Set<Integer> disclosed = null;
    boolean anonymousIssuer = false;
    long quantity = 1250;
  }

  private static KeyPair keys(SignatureScheme scheme, int seed) {
    return Crypto.deriveKeyPairFromEntropy(scheme, java.math.BigInteger.valueOf(seed).shiftLeft(64).add(java.math.BigInteger.valueOf(977L * seed + 3)));
  }

  private static SecureHash hashOf(String text) {
    return SecureHash.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  public static void main(String[] args) throws Exception {
    AMQPClientSerializationScheme.Companion.initialiseSerialization(null, Collections.emptySet(), Collections.emptySet(), new ConcurrentHashMap<>());
    CordaVectors vectors = new CordaVectors(Paths.get(args[0]));
    vectors.writeAll();
    System.exit(0);
  }

  private void writeAll() throws Exception {
    Instant noon = Instant.parse("2026-03-01T12:00:00Z");
    Shape k1 = new Shape();
    k1.id = "k1-batch";
    k1.what = "notary and party with secp256k1 keys, fourth of a batch of five, until a time";
    k1.notaryScheme = k1.partyScheme = Crypto.ECDSA_SECP256K1_SHA256;
    k1.batch = 5;
    k1.position = 3;
    k1.outputs = 3;
    k1.window = TimeWindow.untilOnly(noon);
    k1.disclosed = new HashSet<>(Arrays.asList(2));
    write(k1);

    Shape r1 = new Shape();
    r1.id = "r1-platform-140";
    r1.what = "notary and party with secp256r1 keys, platform version 140, a time window of two ends, hash constraint";
    r1.notaryScheme = r1.partyScheme = Crypto.ECDSA_SECP256R1_SHA256;
    r1.platformVersion = 140;
    r1.window = TimeWindow.between(noon, noon.plusMillis(90_500));
    r1.constraint = new HashAttachmentConstraint(hashOf("a contract's jar"));
    r1.inputs = 3;
    r1.outputs = 2;
    r1.disclosed = new HashSet<>(Arrays.asList(0, 1));
    write(r1);

    Shape ed = new Shape();
    ed.id = "ed25519-platform-1000";
    ed.what = "Ed25519 keys, platform version 1000, from a time, an encumbered output, first of two";
    ed.platformVersion = 1000;
    ed.window = TimeWindow.fromOnly(noon);
    ed.encumbrance = 1;
    ed.outputs = 5;
    ed.batch = 2;
    ed.quantity = 5_000_000_000L;
    ed.disclosed = new HashSet<>(Arrays.asList(1, 4));
    write(ed);

    Shape mixed = new Shape();
    mixed.id = "k1-notary-platform-127";
    mixed.what = "secp256k1 notary and Ed25519 party, platform version 127, any attachment would do, anonymous issuer";
    mixed.notaryScheme = Crypto.ECDSA_SECP256K1_SHA256;
    mixed.platformVersion = 127;
    mixed.constraint = AlwaysAcceptAttachmentConstraint.INSTANCE;
    mixed.anonymousIssuer = true;
    mixed.quantity = 100;
    write(mixed);

    Shape next = new Shape();
    next.id = "r1-notary-platform-128";
    next.what = "secp256r1 notary and secp256k1 party, platform version 128, whitelisted by the zone, no input";
    next.notaryScheme = Crypto.ECDSA_SECP256R1_SHA256;
    next.partyScheme = Crypto.ECDSA_SECP256K1_SHA256;
    next.platformVersion = 128;
    next.inputs = 0;
    next.window = TimeWindow.untilOnly(noon);
    next.constraint = WhitelistedByZoneAttachmentConstraint.INSTANCE;
    write(next);
    Files.write(folder.resolve("manifest.json"), ("{\n \"format\": 1,\n \"network\": \"corda\",\n"
        + " \"recordedWith\": \"no network: Corda 4.10's classes built, hashed, serialised and signed these; CordaVectors.java\",\n"
        + " \"vectors\": [\n" + String.join(",\n", entries) + "\n ]\n}\n").getBytes(StandardCharsets.UTF_8));
  }

  private void write(Shape shape) throws Exception {
    KeyPair notaryKeys = keys(shape.notaryScheme, 11);
    KeyPair partyKeys = keys(shape.partyScheme, 12);
    KeyPair issuerKeys = keys(Crypto.EDDSA_ED25519_SHA512, 13);
    Party notary = new Party(new CordaX500Name("Notary", "London", "GB"), notaryKeys.getPublic());
    Party party = new Party(new CordaX500Name("Vault", "Payments", "Bank A", "Zürich", "ZH", "CH"), partyKeys.getPublic());
    AbstractParty issuer = shape.anonymousIssuer ? new AnonymousParty(issuerKeys.getPublic())
        : new Party(new CordaX500Name("Issuer", "Paris", "FR"), issuerKeys.getPublic());
    AttachmentConstraint constraint = shape.constraint != null ? shape.constraint
        : new SignatureAttachmentConstraint(keys(Crypto.ECDSA_SECP256R1_SHA256, 14).getPublic());

    List<StateRef> inputs = new ArrayList<>();
    for (int i = 0; i < shape.inputs; i++) inputs.add(new StateRef(hashOf("input " + i), i * 200));
    List<TransactionState<ContractState>> outputs = new ArrayList<>();
    for (int i = 0; i < shape.outputs; i++) {
      Issued<Currency> token = new Issued<>(new PartyAndReference(issuer, OpaqueBytes.of((byte) 7, (byte) i)), Currency.getInstance("EUR"));
      AbstractParty owner = i % 2 == 0 ? party : new AnonymousParty(partyKeys.getPublic());
      Cash.State cash = new Cash.State(new Amount<>(shape.quantity + i, new BigDecimal("0.01"), token), owner);
      outputs.add(new TransactionState<>(cash, CONTRACT, notary, i == 0 ? shape.encumbrance : null, constraint));
    }
    List<Command<?>> commands = Collections.singletonList(new Command<>(new Cash.Commands.Move(), partyKeys.getPublic()));
    List<ComponentGroup> groups = TransactionUtilsKt.createComponentGroups(inputs, outputs, commands,
        Collections.singletonList(hashOf("a contract's jar")), notary, shape.window, Collections.emptyList(), hashOf("network parameters"));
    byte[] salt = hashOf("salt of " + shape.id).getBytes();
    WireTransaction transaction = new WireTransaction(groups, new PrivacySalt(salt));
    Set<Object> shown = new HashSet<>();
    for (int i = 0; i < shape.outputs; i++) if (shape.disclosed == null || shape.disclosed.contains(i)) shown.add(outputs.get(i));
    FilteredTransaction filtered = FilteredTransaction.buildFilteredTransaction(transaction,
        component -> component instanceof Party || component instanceof StateRef || component instanceof TimeWindow
            || shown.contains(component));
    filtered.verify();

    List<String> signatures = new ArrayList<>();
    signatures.add(signature(transaction.getId(), partyKeys, shape.partyScheme, shape.platformVersion, null, false));
    List<SecureHash> leaves = new ArrayList<>();
    for (int i = 0; i < shape.batch; i++) {
      SecureHash id = i == shape.position ? transaction.getId() : hashOf("another of the batch " + i);
      leaves.add(SecureHash.sha256(id.getBytes()));
    }
    MerkleTree batch = MerkleTree.Companion.getMerkleTree(leaves);
    PartialMerkleTree partial = PartialMerkleTree.Companion.build(batch, Collections.singletonList(leaves.get(shape.position)));
    signatures.add(signature(transaction.getId(), notaryKeys, shape.notaryScheme, shape.platformVersion, partial, true));
    save(shape, transaction, salt, signatures, filtered);
  }

  private static String signature(SecureHash id, KeyPair keys, SignatureScheme scheme, int platformVersion, PartialMerkleTree tree,
      boolean isNotary) throws Exception {
    SecureHash signed = tree == null ? id : PartialMerkleTree.Companion.rootAndUsedHashes(tree.getRoot(), new ArrayList<>());
    SignatureMetadata metadata = new SignatureMetadata(platformVersion, scheme.getSchemeNumberID());
    byte[] bytes = SerializationAPIKt.serialize(new SignableData(signed, metadata),
        net.corda.core.serialization.SerializationFactory.Companion.getDefaultFactory(),
        net.corda.core.serialization.SerializationFactory.Companion.getDefaultFactory().getDefaultContext()).getBytes();
    byte[] made = Crypto.doSign(scheme, keys.getPrivate(), bytes);
    TransactionSignature whole = new TransactionSignature(made, keys.getPublic(), metadata, tree);
    return "{\"by_spki\":\"" + hex(keys.getPublic().getEncoded()) + "\",\"scheme\":\"" + scheme.getSchemeCodeName()
        + "\",\"schemeNumberID\":" + scheme.getSchemeNumberID() + ",\"platformVersion\":" + platformVersion + ",\"isNotary\":" + isNotary
        + ",\"validPerCorda\":" + whole.isValid(id) + ",\"partialMerkleTree\":" + (tree == null ? "null" : tree(tree.getRoot()))
        + ",\"signedHash\":\"" + hex(signed.getBytes()) + "\",\"signature\":\"" + hex(made) + "\",\"signedBytes\":\"" + hex(bytes) + "\"}";
  }

  private void save(Shape shape, WireTransaction transaction, byte[] salt, List<String> signatures, FilteredTransaction filtered)
      throws Exception {
    List<String> groups = new ArrayList<>(), counts = new ArrayList<>();
    for (ComponentGroup group : transaction.getComponentGroups()) {
      groups.add("{\"groupIndex\":" + group.getGroupIndex() + ",\"components\":" + quoted(group.getComponents()) + "}");
      counts.add("[" + group.getGroupIndex() + "," + group.getComponents().size() + "]");
    }
    List<String> hashes = new ArrayList<>(), shown = new ArrayList<>();
    for (SecureHash hash : filtered.getGroupHashes()) hashes.add("\"" + hex(hash.getBytes()) + "\"");
    for (FilteredComponentGroup group : filtered.getFilteredComponentGroups()) {
      shown.add("{\"groupIndex\":" + group.getGroupIndex() + ",\"components\":" + quoted(group.getComponents()) + ",\"nonces\":"
          + quoted(group.getNonces()) + ",\"partialMerkleTree\":" + tree(group.getPartialMerkleTree().getRoot()) + "}");
    }
    String id = hex(transaction.getId().getBytes());
    String text = "{\"txId\":\"" + id + "\",\"privacySalt\":\"" + hex(salt) + "\",\"digest\":\"SHA-256\",\n\"componentGroups\":["
        + String.join(",\n", groups) + "],\n\"sigs\":[" + String.join(",\n", signatures) + "],\n\"notary\":\"O=Notary, L=London, C=GB\",\"outputs\":"
        + shape.outputs + ",\"inputs\":" + shape.inputs + ",\n\"filtered\":{\"id\":\"" + id + "\",\"groupHashes\":[" + String.join(",", hashes)
        + "],\n\"filteredComponentGroups\":[" + String.join(",\n", shown) + "]}}\n";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Files.write(folder.resolve(shape.id + ".json"), bytes);
    entries.add("  {\"id\": \"" + shape.id + "\", \"file\": \"" + shape.id + ".json\", \"what\": \"" + shape.what + "\", \"txId\": \"" + id
        + "\",\n   \"expect\": {\"result\": \"valid\", \"partySignatures\": 1, \"notarySignatures\": 1, \"groups\": [" + String.join(",", counts)
        + "]},\n   \"bytes\": " + bytes.length + ", \"sha256\": \"" + hex(MessageDigest.getInstance("SHA-256").digest(bytes)) + "\"}");
  }

  private static String tree(PartialMerkleTree.PartialTree tree) {
    if (tree instanceof PartialMerkleTree.PartialTree.IncludedLeaf)
      return "{\"included\":\"" + hex(((PartialMerkleTree.PartialTree.IncludedLeaf) tree).getHash().getBytes()) + "\"}";
    if (tree instanceof PartialMerkleTree.PartialTree.Leaf)
      return "{\"leaf\":\"" + hex(((PartialMerkleTree.PartialTree.Leaf) tree).getHash().getBytes()) + "\"}";
    PartialMerkleTree.PartialTree.Node node = (PartialMerkleTree.PartialTree.Node) tree;
    return "{\"left\":" + tree(node.getLeft()) + ",\"right\":" + tree(node.getRight()) + "}";
  }

  private static String quoted(List<? extends OpaqueBytes> items) {
    List<String> texts = new ArrayList<>();
    for (OpaqueBytes item : items) texts.add("\"" + hex(item.getBytes()) + "\"");
    return "[" + String.join(",", texts) + "]";
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) text.append(String.format("%02x", each));
    return text.toString();
  }
}
