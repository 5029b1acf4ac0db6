// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction} from "./VaultTypes.sol";
import {SignatureHighS, SignatureMalformed} from "./VaultErrors.sol";

/// @title EIP-712 digests of instructions, and signature recovery
/// @notice The domain has no chain id: its salt binds service, network, genesis block and vault. Golden vectors for
/// every language: test/vectors/instruction.json.
library InstructionDigest {
    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,bytes32 salt)");
    bytes32 private constant NAME_HASH = keccak256("Drawbridge");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant INSTRUCTION_TYPEHASH = keccak256(
        "Instruction(bytes32 id,uint8 kind,bytes32 subject,bytes32 asset,uint64 amount,bytes32 beneficiary,bytes32 inputs,uint64 notAfter,uint32 epoch,bytes trail)"
    );
    /// @dev Half the order of secp256k1, rounded down (EIP-2).
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice keccak256 of four words: service id, network id hash, genesis hash, hash of the vault's 20 bytes.
    function saltFor(bytes32 serviceId, bytes32 networkIdHash, bytes32 genesisHash, address vault)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(serviceId, networkIdHash, genesisHash, keccak256(abi.encodePacked(vault))));
    }

    function domainSeparatorFor(bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, salt));
    }

    /// @dev Two halves of words, since all eleven at once do not fit the stack of the legacy pipeline.
    function structHash(Instruction calldata i) internal pure returns (bytes32) {
        bytes memory head = abi.encode(INSTRUCTION_TYPEHASH, i.id, i.kind, i.subject, i.asset, i.amount);
        bytes memory tail = abi.encode(i.beneficiary, i.inputs, i.notAfter, i.epoch, keccak256(i.trail));
        return keccak256(bytes.concat(head, tail));
    }

    function digest(bytes32 domainSeparator, bytes32 hash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator, hash));
    }

    /// @notice The address whose key signed `hash`; never zero.
    /// @param signature 65 bytes r, s, v with v 27 or 28 and s in the lower half.
    function recover(bytes32 hash, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != 65) revert SignatureMalformed();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > MAX_S) revert SignatureHighS();
        if (v != 27 && v != 28) revert SignatureMalformed();
        signer = ecrecover(hash, v, r, s);
        if (signer == address(0)) revert SignatureMalformed();
    }
}
