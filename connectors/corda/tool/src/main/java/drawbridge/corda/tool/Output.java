package drawbridge.corda.tool;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.VaultNames;
import net.corda.core.contracts.StateRef;
import net.corda.core.identity.CordaX500Name;
import net.corda.core.identity.Party;

/** How answers write what Corda has: hex with 0x, amounts as text. */
final class Output {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private Output() {
    }

    static String hex(byte[] bytes) {
        return "0x" + Bytes.hex(bytes);
    }

    static String ref(StateRef ref) {
        return hex(VaultNames.encode(ref));
    }

    /** As the core's registrations have names: field by field. */
    static ObjectNode name(CordaX500Name name) {
        ObjectNode fields = JSON.objectNode();
        if (name.getCommonName() != null) fields.put("commonName", name.getCommonName());
        if (name.getOrganisationUnit() != null) fields.put("organisationUnit", name.getOrganisationUnit());
        fields.put("organisation", name.getOrganisation()).put("locality", name.getLocality());
        if (name.getState() != null) fields.put("state", name.getState());
        return fields.put("country", name.getCountry());
    }

    /** `x500` is what commands take as a party's name; `word` is what beneficiaries and depositors are called. */
    static ObjectNode party(Party party) {
        ObjectNode fields = JSON.objectNode();
        fields.put("x500", party.getName().toString());
        fields.set("name", name(party.getName()));
        byte[] key = party.getOwningKey().getEncoded();
        return fields.put("key", hex(key)).put("word", hex(VaultNames.accountWord(party.getOwningKey())));
    }
}
