// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./VaultTypes.sol";
import "./VaultErrors.sol";
import {InstructionDigest} from "./InstructionDigest.sol";
import {IERC20, IMintedToken, TokenMover} from "./TokenMover.sol";
import {VaultBase} from "./VaultBase.sol";

/// @notice What a vault asks of its successor before it hands everything over.
interface ISuccessor {
    function token() external view returns (address);
    function asset() external view returns (bytes32);
    function unit() external view returns (uint256);
    function mode() external view returns (uint8);
    function closed() external view returns (bool);
}

/// @title A vault: holds or issues one asset on one network
/// @notice Value comes in by `lock` and leaves only with the signature of the vault's authority, a key of the core; each
/// instruction has effect at most once, or is voided and then never has. Not upgradeable, takes no ether. Amounts are
/// minor units of the asset unless called tokenAmount, which is base units of the token.
/// Every function but the views reverts with NotInitialized, VaultClosed or ReentrantCall; further errors stand with it.
contract DrawbridgeVault is VaultBase {
    using TokenMover for address;

    /// @notice Puts value into the vault: escrowed, or burned where the vault issues. The caller approved the vault
    /// for `tokenAmount` before, in both modes.
    /// @param lockReference links the lock to a transfer, for those who know it; need not be unique.
    /// @param tokenAmount base units; what arrives must be a whole number of minor units, 1 to 2^63 - 1 and at most
    /// releaseCap: what could never be paid back in one piece is not taken in.
    /// @return lockId keccak256(abi.encode(vault, depositor, lockReference, the depositor's lockNonce)).
    /// Reverts: VaultPaused, NotWholeMinorUnits, InvalidAmount, LockAboveReleaseCap, TokenRefused, TransferNotExact, the
    /// token's own.
    function lock(bytes32 lockReference, uint256 tokenAmount) external guarded returns (bytes32 lockId) {
        if (paused()) revert VaultPaused();
        uint256 arrived = tokenAmount;
        if (mode == MODE_ESCROW) arrived = token.pull(msg.sender, tokenAmount);
        else token.burn(msg.sender, tokenAmount);
        if (arrived % unit != 0) revert NotWholeMinorUnits(arrived, unit);
        uint256 minor = arrived / unit;
        if (minor == 0 || minor >= AMOUNT_LIMIT) revert InvalidAmount(minor);
        uint64 amount = uint64(minor);
        if (amount > releaseCap) revert LockAboveReleaseCap(releaseCap, amount);
        lockId = keccak256(abi.encode(address(this), msg.sender, lockReference, lockNonce[msg.sender]++));
        lockOf[lockId] = Lock({depositor: msg.sender, amount: amount, refunded: false});
        emit Locked(_nextSeq(), lockId, lockReference, msg.sender, amount);
    }

    /// @notice Does what the authority instructs: release, issue, refund, rotate, pause, unpause, migrate. Anyone may
    /// submit; nothing depends on the sender.
    /// Reverts, checked in this order: KindNotAllowed; WrongAsset; WrongEpoch; ExpiryNotAllowed, InstructionExpired;
    /// InputsNotEmpty; ZeroId; TrailTooLong; AlreadySpent; SignatureMalformed, SignatureHighS, WrongSigner. Then by kind.
    /// release, issue: VaultPaused, InvalidAmount, InvalidBeneficiary, ReleaseCapExceeded, TokenRefused,
    /// TransferNotExact, the token's own. refund: UnknownLock, LockAlreadyRefunded, RefundMismatch and the same but
    /// VaultPaused. rotate: InvalidSubject, InvalidAuthority. migrate: InvalidSubject, MigrationNotApproved,
    /// InvalidSuccessor.
    function execute(Instruction calldata i, bytes calldata signature) external guarded {
        if (!_executable(i.kind)) revert KindNotAllowed(i.kind);
        _accept(i, signature);
        isSpent[i.id] = EXECUTED;
        if (i.kind == KIND_RELEASE || i.kind == KIND_ISSUE) _release(i);
        else if (i.kind == KIND_REFUND) _refund(i);
        else if (i.kind == KIND_ROTATE) _rotate(i);
        else if (i.kind == KIND_MIGRATE) _migrate(i);
        else _setPause(i);
    }

    /// @notice Makes the instruction `i.subject` impossible for ever, unless it was executed or voided before.
    /// Reverts as execute does, and InvalidSubject; AlreadySpent names the target when the target is what was spent.
    function void(Instruction calldata i, bytes calldata signature) external guarded {
        if (i.kind != KIND_VOID) revert KindNotAllowed(i.kind);
        _accept(i, signature);
        if (i.subject == 0 || i.subject == i.id) revert InvalidSubject(i.subject);
        if (isSpent[i.subject] != UNSPENT) revert AlreadySpent(i.subject);
        isSpent[i.id] = EXECUTED;
        isSpent[i.subject] = VOIDED;
        emit Voided(_nextSeq(), i.id, i.subject, i.epoch, i.trail);
    }

    /// @notice Stops locks, releases and issues at once; only guardianUnpause lifts it.
    /// Typed data: GuardianPause(uint64 nonce). Reverts: GuardianThresholdNotMet, NotGuardian, DuplicateGuardian.
    function guardianPause(bytes[] calldata signatures) external guarded {
        _useGuardians(domainSeparator, keccak256(abi.encode(PAUSE_TYPEHASH, guardianNonce)), signatures);
        _pausedByGuardian = true;
        emit PauseChanged(_nextSeq(), 0, true, true);
    }

    /// @notice Lifts the guardians' pause; one by the authority stands.
    /// Typed data: GuardianUnpause(uint64 nonce). Reverts as guardianPause.
    function guardianUnpause(bytes[] calldata signatures) external guarded {
        _useGuardians(domainSeparator, keccak256(abi.encode(UNPAUSE_TYPEHASH, guardianNonce)), signatures);
        _pausedByGuardian = false;
        emit PauseChanged(_nextSeq(), 0, paused(), true);
    }

    /// @notice Proposes another authority; it takes over by completeGuardianReplacement after guardianDelaySeconds. A
    /// rotation by the authority does not stop it.
    /// Typed data: GuardianReplaceAuthority(address authority,uint64 nonce).
    /// Reverts as guardianPause, and InvalidAuthority, ProposalPending.
    function guardianReplaceAuthority(address newAuthority, bytes[] calldata signatures) external guarded {
        bytes32 structHash = keccak256(abi.encode(REPLACE_TYPEHASH, newAuthority, guardianNonce));
        _useGuardians(domainSeparator, structHash, signatures);
        if (newAuthority == address(0) || newAuthority == authority) revert InvalidAuthority(newAuthority);
        if (proposedAuthority != address(0)) revert ProposalPending(proposedAuthority);
        proposedAuthority = newAuthority;
        proposalNotBefore = uint64(block.timestamp) + guardianDelaySeconds;
        emit GuardianProposed(_nextSeq(), newAuthority, proposalNotBefore);
    }

    /// @notice Puts the proposed authority in place, in a new epoch. Anyone may call, from proposalNotBefore on.
    /// Reverts: NoProposal, ProposalTooEarly.
    function completeGuardianReplacement() external guarded {
        address next = proposedAuthority;
        if (next == address(0)) revert NoProposal();
        if (block.timestamp < proposalNotBefore) revert ProposalTooEarly(proposalNotBefore, block.timestamp);
        _clearProposal();
        _setAuthority(next, 0, true);
    }

    /// @notice Drops the guardians' proposal.
    /// Typed data: GuardianCancel(uint64 nonce). Reverts as guardianPause, and NoProposal.
    function guardianCancel(bytes[] calldata signatures) external guarded {
        _useGuardians(domainSeparator, keccak256(abi.encode(CANCEL_TYPEHASH, guardianNonce)), signatures);
        if (proposedAuthority == address(0)) revert NoProposal();
        _clearProposal();
        emit GuardianCancelled(_nextSeq());
    }

    /// @notice Lets the authority migrate the vault to `successor`; zero withdraws the leave. Without it the authority's
    /// key alone could take everything at once, past the release cap. Emits nothing: no value and no key changes.
    /// Typed data: GuardianApproveSuccessor(address successor,uint64 nonce). Reverts as guardianPause.
    function guardianApproveSuccessor(address successor, bytes[] calldata signatures) external guarded {
        bytes32 structHash = keccak256(abi.encode(SUCCESSOR_TYPEHASH, successor, guardianNonce));
        _useGuardians(domainSeparator, structHash, signatures);
        approvedSuccessor = successor;
    }

    function _executable(uint8 kind) private view returns (bool) {
        if (kind == KIND_RELEASE) return mode == MODE_ESCROW;
        if (kind == KIND_ISSUE) return mode == MODE_ISSUE;
        return kind >= KIND_REFUND && kind <= KIND_MIGRATE && kind != KIND_VOID;
    }

    /// @dev What is demanded of every instruction, whatever its kind.
    function _accept(Instruction calldata i, bytes calldata signature) private view {
        if (i.asset != asset) revert WrongAsset(i.asset);
        if (i.epoch != epoch) revert WrongEpoch(epoch, i.epoch);
        if (i.notAfter != 0) {
            bool lasting = i.kind == KIND_VOID || i.kind == KIND_REFUND || i.kind == KIND_ROTATE;
            if (lasting) revert ExpiryNotAllowed(i.kind);
            if (block.timestamp > i.notAfter) revert InstructionExpired(i.notAfter, block.timestamp);
        }
        if (i.inputs != 0) revert InputsNotEmpty();
        if (i.id == 0) revert ZeroId();
        if (i.trail.length > MAX_TRAIL_BYTES) revert TrailTooLong(i.trail.length);
        if (isSpent[i.id] != UNSPENT) revert AlreadySpent(i.id);
        bytes32 hash = InstructionDigest.digest(domainSeparator, InstructionDigest.structHash(i));
        address signer = InstructionDigest.recover(hash, signature);
        if (signer != authority) revert WrongSigner(signer);
    }

    function _release(Instruction calldata i) private {
        if (paused()) revert VaultPaused();
        _pay(i, _payee(i.beneficiary));
    }

    function _refund(Instruction calldata i) private {
        Lock memory taken = lockOf[i.subject];
        if (taken.amount == 0) revert UnknownLock(i.subject);
        if (taken.refunded) revert LockAlreadyRefunded(i.subject);
        bool same = i.amount == taken.amount && i.beneficiary == bytes32(uint256(uint160(taken.depositor)));
        if (!same) revert RefundMismatch(taken.amount, taken.depositor);
        lockOf[i.subject].refunded = true;
        _pay(i, taken.depositor);
    }

    /// @dev Everything that leaves passes here, refunds too: a stolen authority could refund locks that were credited.
    function _pay(Instruction calldata i, address payee) private {
        if (i.amount == 0 || i.amount >= AMOUNT_LIMIT) revert InvalidAmount(i.amount);
        _spendCap(i.amount);
        uint256 tokenAmount = uint256(i.amount) * unit;
        if (mode == MODE_ESCROW) token.push(payee, tokenAmount);
        else token.mint(payee, tokenAmount);
        emit Executed(_nextSeq(), i.id, i.subject, i.kind, i.beneficiary, i.amount, i.epoch, i.trail);
    }

    function _payee(bytes32 beneficiary) private view returns (address payee) {
        payee = address(uint160(uint256(beneficiary)));
        bool padded = bytes32(uint256(uint160(payee))) == beneficiary;
        if (!padded || payee == address(0) || payee == address(this)) revert InvalidBeneficiary(beneficiary);
    }

    function _rotate(Instruction calldata i) private {
        address next = _subjectAddress(i.subject);
        if (next == authority) revert InvalidAuthority(next);
        _setAuthority(next, i.id, false);
    }

    function _migrate(Instruction calldata i) private {
        address successor = _subjectAddress(i.subject);
        if (successor != approvedSuccessor) revert MigrationNotApproved(successor);
        _checkSuccessor(successor);
        closed = true;
        uint256 moved;
        if (mode == MODE_ISSUE) {
            IMintedToken(token).setVault(successor);
        } else {
            moved = IERC20(token).balanceOf(address(this));
            if (moved != 0) token.push(successor, moved);
        }
        emit Migrated(_nextSeq(), i.id, successor, moved);
    }

    function _checkSuccessor(address successor) private view {
        if (successor == address(this) || successor.code.length == 0) revert InvalidSuccessor(successor);
        ISuccessor next = ISuccessor(successor);
        bool alike = next.token() == token && next.asset() == asset && next.unit() == unit && next.mode() == mode;
        if (!alike || next.closed()) revert InvalidSuccessor(successor);
    }

    function _setPause(Instruction calldata i) private {
        _pausedByAuthority = i.kind == KIND_PAUSE;
        emit PauseChanged(_nextSeq(), i.id, paused(), false);
    }

    function _setAuthority(address next, bytes32 id, bool byGuardian) private {
        authority = next;
        epoch += 1;
        emit Rotated(_nextSeq(), id, next, epoch, byGuardian);
    }

    function _clearProposal() private {
        proposedAuthority = address(0);
        proposalNotBefore = 0;
    }

    function _subjectAddress(bytes32 subject) private pure returns (address a) {
        a = address(uint160(uint256(subject)));
        if (a == address(0) || bytes32(uint256(uint160(a))) != subject) revert InvalidSubject(subject);
    }
}
