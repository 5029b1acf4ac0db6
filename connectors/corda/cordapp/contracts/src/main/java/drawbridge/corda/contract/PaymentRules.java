package drawbridge.corda.contract;

import net.corda.core.contracts.ContractState;
import net.corda.core.contracts.StateAndRef;

import java.security.PublicKey;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Release, issue, refund and void: each consumes one permit, and in escrow the coins that it names. */
final class PaymentRules {
    private PaymentRules() {
    }

    static void verify(Frame frame, Instruct i, VaultState vault) {
        PermitState permit = inputsOf(frame, PermitState.class, "PERMIT", vault);
        if (i.getKind() == Kind.VOID) {
            verifyVoid(frame, i, vault, permit);
            return;
        }
        boolean refund = i.getKind() == Kind.REFUND;
        Refusal.unless(refund || !vault.getControl().paused(), "PAUSED", "releases and issues stand still");
        Refusal.unless(i.getAmount() > 0, "AMOUNT", "nothing to pay");
        if (refund) checkRefund(i, inputsOf(frame, LockState.class, "LOCK", vault));
        frame.outputIs(0, ReleaseWindow.booked(permit, i, vault.getTerms(), frame.timeWindow()));
        int others = refund ? 2 : 1;
        if (vault.getTerms().getMode() == Kind.MODE_ESCROW) payCash(frame, i, vault, others);
        else issueTokens(frame, i, vault, others);
    }

    /** The only input of a class, which must be this vault's. */
    private static <T extends VaultPart> T inputsOf(Frame frame, Class<T> type, String code, VaultState vault) {
        List<ContractState> found = frame.inputs().stream().map(StateAndRef::getState).map(state -> state.getData())
                .filter(type::isInstance).collect(Collectors.toList());
        Refusal.unless(found.size() == 1, code, "exactly one is consumed");
        T part = type.cast(found.get(0));
        Refusal.unless(Arrays.equals(part.getVaultId(), vault.getVaultId()), code, "another vault's");
        return part;
    }

    /** Pays exactly the lock's amount to its own depositor; the record is consumed, so once. */
    private static void checkRefund(Instruct i, LockState lock) {
        Refusal.unless(Arrays.equals(i.getSubject(), lock.getLockId()), "LOCK", "another lock is refunded than consumed");
        boolean same = i.getAmount() == lock.getAmount()
                && Arrays.equals(i.getBeneficiary(), VaultNames.accountWord(lock.getDepositor().getOwningKey()));
        Refusal.unless(same, "REFUND", "a refund pays the lock's amount to its depositor");
    }

    private static void payCash(Frame frame, Instruct i, VaultState vault, int others) {
        long consumed = total(Coins.consumed(frame, vault, others));
        long change = consumed - i.getAmount();
        Refusal.unless(change >= 0, "AMOUNT", "the coins are worth less than the payment");
        frame.outputCount(change == 0 ? 2 : 4);
        PublicKey payee = CashLegs.owner(frame.outputState(1));
        checkPayee(i, payee, vault);
        long paid = CashLegs.held(frame.outputState(1), vault.getTerms(), payee);
        Refusal.unless(paid == i.getAmount(), "AMOUNT", "another amount is paid");
        Refusal.unless(frame.outputState(1).getEncumbrance() == null, "ENCUMBRANCE", "what is paid must be free");
        if (change > 0) Coins.made(frame, 2, change, vault);
    }

    private static void issueTokens(Frame frame, Instruct i, VaultState vault, int others) {
        Refusal.unless(frame.inputs().size() == others, "SHAPE", "an input is no part of the issue");
        frame.outputCount(2);
        Refusal.unless(frame.output(1) instanceof TokenState, "SHAPE", "a token must be made");
        TokenState token = (TokenState) frame.output(1);
        checkPayee(i, token.getOwner().getOwningKey(), vault);
        frame.outputIs(1, new TokenState(i.getAmount(), vault.getTerms().getCurrency(), token.getOwner(), vault.getVaultId()));
    }

    private static void checkPayee(Instruct i, PublicKey payee, VaultState vault) {
        boolean named = Arrays.equals(i.getBeneficiary(), VaultNames.accountWord(payee));
        Refusal.unless(named && !payee.equals(vault.getVaultParty().getOwningKey()), "BENEFICIARY",
                "another is paid than named, or the vault itself");
    }

    /** Makes again what it consumes, so that nothing else can consume it. */
    private static void verifyVoid(Frame frame, Instruct i, VaultState vault, PermitState permit) {
        boolean subject = !Bytes.isZero(i.getSubject()) && !Arrays.equals(i.getSubject(), i.getId());
        Refusal.unless(subject, "SUBJECT", "a void names the instruction that it makes impossible");
        frame.outputIs(0, permit.voidedBy(i.getId()));
        if (vault.getTerms().getMode() == Kind.MODE_ISSUE) {
            Refusal.unless(frame.inputs().size() == 1, "SHAPE", "a void consumes the permit alone");
            frame.outputCount(1);
            return;
        }
        List<Long> amounts = Coins.consumed(frame, vault, 1);
        frame.outputCount(1 + 2 * amounts.size());
        for (int k = 0; k < amounts.size(); k++) Coins.made(frame, 1 + 2 * k, amounts.get(k), vault);
    }

    private static long total(List<Long> amounts) {
        long sum = 0;
        for (long amount : amounts) sum = Math.addExact(sum, amount);
        return sum;
    }
}
