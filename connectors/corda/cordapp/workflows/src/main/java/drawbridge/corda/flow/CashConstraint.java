package drawbridge.corda.flow;

import co.paralleluniverse.fibers.Suspendable;
import drawbridge.corda.contract.Bytes;
import drawbridge.corda.contract.Constraints;
import net.corda.core.contracts.Attachment;
import net.corda.core.contracts.AttachmentConstraint;
import net.corda.core.contracts.HashAttachmentConstraint;
import net.corda.core.contracts.SignatureAttachmentConstraint;
import net.corda.core.crypto.CompositeKey;
import net.corda.core.crypto.SecureHash;
import net.corda.core.flows.FlowException;
import net.corda.core.flows.FlowLogic;
import net.corda.core.flows.StartableByRPC;
import net.corda.finance.contracts.asset.Cash;

import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;

/** What a vault's terms must say of its cash: the constraint, in hex, under which this node's finance jar makes cash. */
@StartableByRPC
public final class CashConstraint extends FlowLogic<String> {
    @Suspendable
    @Override
    public String call() throws FlowException {
        SecureHash id = getServiceHub().getCordappProvider().getContractAttachmentID(Cash.PROGRAM_ID);
        Attachment jar = id == null ? null : getServiceHub().getAttachments().openAttachment(id);
        if (jar == null) throw new FlowException("FINANCE_MISSING: this node has no finance contracts");
        List<PublicKey> signers = new ArrayList<>(jar.getSignerKeys());
        AttachmentConstraint constraint = signers.isEmpty() ? new HashAttachmentConstraint(id)
                : new SignatureAttachmentConstraint(new CompositeKey.Builder().addKeys(signers).build(null));
        return Bytes.hex(Constraints.name(constraint));
    }
}
