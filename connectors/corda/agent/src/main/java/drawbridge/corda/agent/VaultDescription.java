package drawbridge.corda.agent;

import drawbridge.corda.contract.VaultControl;
import drawbridge.corda.contract.VaultNames;
import drawbridge.corda.contract.VaultTerms;
import drawbridge.corda.flow.VaultView;
import net.corda.core.contracts.StateRef;

import java.util.ArrayList;
import java.util.List;

/** A vault as the reply to `vault` has it. */
final class VaultDescription {
    private VaultDescription() {
    }

    static List<?> of(VaultView view) {
        List<Object> coins = new ArrayList<>();
        List<StateRef> refs = view.getCoins();
        for (int i = 0; i < refs.size(); i++) coins.add(List.of(VaultNames.encode(refs.get(i)), view.getCoinAmounts().get(i)));
        return List.of(VaultNames.encode(view.getRef()), view.getConstraint(),
                view.getPermits().stream().map(VaultNames::encode).toList(), coins,
                control(view.getState().getControl()), terms(view.getState().getTerms()));
    }

    private static List<?> control(VaultControl control) {
        return List.of(control.getAuthority(), control.getEpoch(), control.getGuardianNonce(), control.getLastInstruction(),
                control.getPausedByAuthority(), control.getPausedByGuardian(), control.getProposalNotBefore(),
                control.getProposedAuthority());
    }

    private static List<?> terms(VaultTerms terms) {
        return List.of(terms.getAsset(), terms.getCapWindowSeconds(), terms.getCashConstraint(), terms.getCurrency(),
                terms.getGenesisHash(), terms.getGuardianDelaySeconds(), terms.getGuardianThreshold(), terms.getGuardians(),
                terms.getIssuerKey(), terms.getIssuerReference(), terms.getMode(), terms.getNetworkIdHash(),
                terms.getPermitCap(), terms.getPermits(), terms.getServiceId());
    }
}
