package drawbridge.corda.contract;

import org.junit.Test;

import java.util.Arrays;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.fail;

/** Terms that no vault may have. */
public class TermsTest {
    private static final byte[] WORD = Bytes.keccak256(new byte[]{1});
    private static final byte[] NONE = new byte[0];
    private static final byte[] ONE = Arrays.copyOf(WORD, 20);
    private static final byte[] JAR = new byte[33];

    static {
        JAR[0] = 1;
    }

    private byte[] asset = WORD;
    private long window = 7200;
    private byte[] constraint = JAR;
    private String currency = "GBP";
    private byte[] genesis = WORD;
    private long delay = 1;
    private int threshold = 1;
    private byte[] guardians = ONE;
    private byte[] issuerKey = {1};
    private byte[] issuerReference = {1};
    private int mode = Kind.MODE_ESCROW;
    private byte[] network = WORD;
    private long cap = 1;
    private int permits = 1;
    private byte[] service = WORD;

    private void check() {
        new VaultTerms(asset, window, constraint, currency, genesis, delay, threshold, guardians, issuerKey, issuerReference,
                mode, network, cap, permits, service).check();
    }

    private void refused(String field) {
        try {
            check();
        } catch (Refusal refused) {
            assertEquals("TERMS: " + field + " is out of range", refused.getMessage());
            return;
        }
        fail("not refused: " + field);
    }

    @Test
    public void goodOnes() {
        check();
        mode = Kind.MODE_ISSUE;
        issuerKey = NONE;
        issuerReference = NONE;
        constraint = NONE;
        check();
    }

    @Test
    public void words() {
        service = new byte[32];
        refused("serviceId");
        service = WORD;
        network = new byte[31];
        refused("networkIdHash");
        network = WORD;
        genesis = new byte[32];
        refused("genesisHash");
        genesis = WORD;
        asset = NONE;
        refused("asset");
        asset = Arrays.copyOf(WORD, 31);
        refused("asset");
    }

    @Test
    public void whatItHolds() {
        mode = 3;
        refused("mode");
        mode = Kind.MODE_ESCROW;
        currency = "pounds";
        refused("currency");
        currency = "GBP";
        issuerKey = NONE;
        refused("issuerKey");
        issuerKey = new byte[]{1};
        issuerReference = NONE;
        refused("issuerReference");
        issuerReference = new byte[]{1};
        constraint = new byte[33];
        refused("cashConstraint");
    }

    @Test
    public void numbers() {
        permits = 0;
        refused("permits");
        permits = 2;
        cap = Long.MAX_VALUE;
        refused("permitCap");
        cap = 0;
        refused("permitCap");
        cap = 1;
        window = VaultTerms.MIN_CAP_WINDOW_SECONDS - 1;
        refused("capWindowSeconds");
        window = 7200;
        delay = 0;
        refused("guardianDelaySeconds");
    }

    @Test
    public void guardianSets() {
        guardians = NONE;
        refused("guardians");
        guardians = new byte[20];
        refused("guardians");
        guardians = new byte[40];
        System.arraycopy(ONE, 0, guardians, 0, 20);
        System.arraycopy(ONE, 0, guardians, 20, 20);
        refused("guardians");
        guardians = ONE;
        threshold = 2;
        refused("guardianThreshold");
        threshold = 0;
        refused("guardianThreshold");
    }

    private static byte[] guardians(int count) {
        byte[] all = new byte[20 * count];
        for (int i = 0; i < count; i++) all[20 * i] = (byte) (i + 1);
        return all;
    }

    @Test
    public void theLeastAndTheMost() {
        permits = VaultTerms.MAX_PERMITS;
        cap = Long.MAX_VALUE / permits;
        window = VaultTerms.MIN_CAP_WINDOW_SECONDS;
        delay = VaultTerms.MAX_PERIOD_SECONDS;
        guardians = guardians(VaultTerms.MAX_GUARDIANS);
        threshold = VaultTerms.MAX_GUARDIANS;
        constraint = JAR.clone();
        constraint[0] = 2;
        check();
        window = VaultTerms.MAX_PERIOD_SECONDS;
        check();
        window++;
        refused("capWindowSeconds");
        window--;
        delay++;
        refused("guardianDelaySeconds");
        delay--;
        cap++;
        refused("permitCap");
        cap = 1;
        permits++;
        refused("permits");
        permits--;
        guardians = guardians(VaultTerms.MAX_GUARDIANS + 1);
        refused("guardians");
        guardians = Arrays.copyOf(guardians(2), 41);
        refused("guardians");
    }

    /** A token of the vault's own has a name and no issuer. */
    @Test
    public void whatItIssues() {
        mode = Kind.MODE_ISSUE;
        refused("issuerKey");
        issuerKey = NONE;
        refused("issuerReference");
        issuerReference = NONE;
        refused("cashConstraint");
        constraint = NONE;
        currency = "gbp-1.0";
        check();
        for (String name : new String[]{"", "G B P", "x/y", "a23456789012345678901234567890123"}) {
            currency = name;
            refused("currency");
        }
        currency = "a2345678901234567890123456789012";
        check();
        mode = 0;
        refused("mode");
    }
}
