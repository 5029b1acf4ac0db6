// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Every refusal of the vault. Each one reverts: nothing changed, no counter moved, the same call may be tried again.

/// Only the account that deployed the vault may initialize it.
error NotDeployer();
/// The vault was initialized before.
error AlreadyInitialized();
/// The vault has no authority yet.
error NotInitialized();
/// The vault migrated to its successor and takes nothing more.
error VaultClosed();
/// A field of the configuration is zero or outside its range.
error InvalidConfig(string field);
/// A call came in while another one runs.
error ReentrantCall();

/// This function, or a vault of this mode, does not take this kind.
error KindNotAllowed(uint8 kind);
/// The instruction is for another asset.
error WrongAsset(bytes32 asset);
/// The instruction was signed under another epoch than the present one.
error WrongEpoch(uint32 current, uint32 signed);
/// void, refund and rotate never expire: their notAfter must be 0.
error ExpiryNotAllowed(uint8 kind);
/// Block time, in seconds, is past the instruction's notAfter.
error InstructionExpired(uint64 notAfter, uint256 blockTime);
/// This ledger has no inputs to consume.
error InputsNotEmpty();
/// Zero is nobody's instruction id.
error ZeroId();
/// The trail is longer than MAX_TRAIL_BYTES.
error TrailTooLong(uint256 length);
/// The id was executed or voided: for a void, its own id or its target.
error AlreadySpent(bytes32 id);
/// Not 65 bytes r, s, v with v 27 or 28, or no key recovers from it.
error SignatureMalformed();
/// s is in the upper half of the curve's order: the same signature has a canonical form.
error SignatureHighS();
/// The signature is another key's, or over another digest.
error WrongSigner(address recovered);

/// Locks, releases and issues stand still.
error VaultPaused();
/// Not 1 to 2^63 - 1 minor units.
error InvalidAmount(uint256 amount);
/// Not an address left-padded with zeros, zero, or the vault itself.
error InvalidBeneficiary(bytes32 beneficiary);
/// Not what this kind needs as its subject.
error InvalidSubject(bytes32 subject);
/// What arrived, in token base units, is no whole number of minor units of `unit` base units.
error NotWholeMinorUnits(uint256 tokenAmount, uint256 unit);
/// Nothing was locked under this id.
error UnknownLock(bytes32 lockId);
/// The lock was paid back before.
error LockAlreadyRefunded(bytes32 lockId);
/// A refund pays exactly the lock's amount, in minor units, to its own depositor.
error RefundMismatch(uint64 amount, address depositor);
/// More, in minor units, than may leave now.
error ReleaseCapExceeded(uint64 headroom, uint64 amount);
/// The lock, in minor units, is more than may leave in a whole window: it could never be refunded in one piece.
error LockAboveReleaseCap(uint64 releaseCap, uint64 amount);
/// The successor is not a vault of this token, asset, unit and mode.
error InvalidSuccessor(address successor);
/// The guardians have not agreed to this successor.
error MigrationNotApproved(address successor);

/// The token's address holds no contract.
error TokenWithoutCode(address token);
/// The token answered false, or reverted without a reason. A reason of its own is passed on.
error TokenRefused();
/// The token moved another amount, in base units, than it was told to.
error TransferNotExact(uint256 expected, uint256 measured);

/// Fewer guardians signed than must.
error GuardianThresholdNotMet(uint256 signatures, uint256 threshold);
/// The signer is no guardian of this vault, or signed something else or under another nonce.
error NotGuardian(address recovered);
/// One guardian counted twice.
error DuplicateGuardian(address guardian);
/// Zero, or the authority that is there already.
error InvalidAuthority(address authority);
/// The guardians have a proposal open: complete or cancel it first.
error ProposalPending(address authority);
/// The guardians have no proposal open.
error NoProposal();
/// Block time, in seconds, is before the proposal's notBefore.
error ProposalTooEarly(uint64 notBefore, uint256 blockTime);
