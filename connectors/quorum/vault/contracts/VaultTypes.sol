// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the core tells a vault to do. The digest that the authority signs is in InstructionDigest.
/// @dev Field order is the EIP-712 type's order. Amounts are minor units of the asset.
struct Instruction {
    /// Spent once, for ever; never zero.
    bytes32 id;
    /// One of the KIND constants.
    uint8 kind;
    /// release, issue: opaque. refund: lock id. void: target instruction. rotate: new authority. migrate: successor.
    bytes32 subject;
    /// keccak256 of the asset code in UTF-8.
    bytes32 asset;
    /// Minor units, 1 to 2^63 - 1 for release, issue and refund; not read for the other kinds.
    uint64 amount;
    /// Address, left-padded with zeros to a word.
    bytes32 beneficiary;
    /// Hash of consumed inputs on ledgers that have them; zero here.
    bytes32 inputs;
    /// Last second of block time, in Unix seconds, at which it may execute; 0 is no limit.
    uint64 notAfter;
    /// The authority's epoch that signed it.
    uint32 epoch;
    /// Ciphertext for the core's recovery; logged, never read here; at most MAX_TRAIL_BYTES.
    bytes trail;
}

/// @notice What a vault is initialized with, once.
struct VaultConfig {
    /// The service's id: 32 random bytes, drawn at its creation.
    bytes32 serviceId;
    /// keccak256 of the network's id in UTF-8.
    bytes32 networkIdHash;
    /// Hash of the chain's block 0.
    bytes32 genesisHash;
    /// Address of the core's key for this vault, epoch 1.
    address authority;
    /// ERC-20 token: escrowed, or a DrawbridgeToken that this vault mints and burns.
    address token;
    /// MODE_ESCROW or MODE_ISSUE.
    uint8 mode;
    /// keccak256 of the asset code in UTF-8.
    bytes32 asset;
    /// Token base units in one minor unit: 10^(token decimals - asset scale).
    uint256 unit;
    /// Minor units that may leave in any capWindowSeconds.
    uint64 releaseCap;
    /// Seconds, 1 to MAX_PERIOD_SECONDS.
    uint64 capWindowSeconds;
    /// 1 to MAX_GUARDIANS distinct addresses: keys of members, for the life of the vault.
    address[] guardians;
    /// Guardians that must sign an action, 1 to their number.
    uint8 guardianThreshold;
    /// Seconds between a proposal of the guardians and its completion, 1 to MAX_PERIOD_SECONDS.
    uint64 guardianDelaySeconds;
}

uint8 constant KIND_RELEASE = 1;
uint8 constant KIND_ISSUE = 2;
uint8 constant KIND_REFUND = 3;
uint8 constant KIND_VOID = 4;
uint8 constant KIND_ROTATE = 5;
uint8 constant KIND_PAUSE = 6;
uint8 constant KIND_UNPAUSE = 7;
uint8 constant KIND_MIGRATE = 8;

uint8 constant MODE_ESCROW = 1;
uint8 constant MODE_ISSUE = 2;

uint8 constant UNSPENT = 0;
uint8 constant EXECUTED = 1;
uint8 constant VOIDED = 2;

/// @dev Amounts are below this many minor units everywhere in Drawbridge.
uint64 constant AMOUNT_LIMIT = 2 ** 63;
uint256 constant MAX_GUARDIANS = 16;
uint256 constant MAX_TRAIL_BYTES = 256;
uint64 constant MAX_PERIOD_SECONDS = 365 days;
