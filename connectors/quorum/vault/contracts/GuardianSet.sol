// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InstructionDigest} from "./InstructionDigest.sol";
import {MAX_GUARDIANS} from "./VaultTypes.sol";
import {DuplicateGuardian, GuardianThresholdNotMet, InvalidConfig, NotGuardian} from "./VaultErrors.sol";

/// @title The members' keys that guard a vault, k of n
/// @notice An action is signed as EIP-712 typed data in the vault's own domain and carries `guardianNonce`; each accepted
/// action raises the nonce by one, so no signature serves twice. Anyone may submit the signatures.
abstract contract GuardianSet {
    bytes32 internal constant PAUSE_TYPEHASH = keccak256("GuardianPause(uint64 nonce)");
    bytes32 internal constant UNPAUSE_TYPEHASH = keccak256("GuardianUnpause(uint64 nonce)");
    bytes32 internal constant CANCEL_TYPEHASH = keccak256("GuardianCancel(uint64 nonce)");
    bytes32 internal constant REPLACE_TYPEHASH = keccak256("GuardianReplaceAuthority(address authority,uint64 nonce)");
    bytes32 internal constant SUCCESSOR_TYPEHASH = keccak256("GuardianApproveSuccessor(address successor,uint64 nonce)");

    /// @notice Guardians that must sign an action.
    uint8 public guardianThreshold;
    /// @notice The nonce that the next action of the guardians must carry.
    uint64 public guardianNonce;
    address[] private _guardians;
    /// @dev Place in `_guardians`, counted from 1; 0 is a stranger.
    mapping(address guardian => uint256 place) private _placeOf;

    /// @notice The guardians' addresses, fixed at initialization.
    function guardians() external view returns (address[] memory) {
        return _guardians;
    }

    function _setGuardians(address[] calldata members, uint8 threshold) internal {
        if (members.length == 0 || members.length > MAX_GUARDIANS) revert InvalidConfig("guardians");
        if (threshold == 0 || threshold > members.length) revert InvalidConfig("guardianThreshold");
        for (uint256 n = 0; n < members.length; n++) {
            if (members[n] == address(0) || _placeOf[members[n]] != 0) revert InvalidConfig("guardians");
            _placeOf[members[n]] = n + 1;
        }
        _guardians = members;
        guardianThreshold = threshold;
    }

    /// @dev Demands `guardianThreshold` distinct guardians under `structHash`, and nobody else; uses the nonce up.
    function _useGuardians(bytes32 domainSeparator_, bytes32 structHash, bytes[] calldata signatures) internal {
        uint256 count = signatures.length;
        if (count < guardianThreshold) revert GuardianThresholdNotMet(count, guardianThreshold);
        bytes32 digest = InstructionDigest.digest(domainSeparator_, structHash);
        uint256 seen;
        for (uint256 n = 0; n < count; n++) {
            address signer = InstructionDigest.recover(digest, signatures[n]);
            uint256 place = _placeOf[signer];
            if (place == 0) revert NotGuardian(signer);
            if (seen & (1 << place) != 0) revert DuplicateGuardian(signer);
            seen |= 1 << place;
        }
        guardianNonce++;
    }
}
