// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./VaultTypes.sol";
import "./VaultErrors.sol";
import {GuardianSet} from "./GuardianSet.sol";
import {InstructionDigest} from "./InstructionDigest.sol";
import {ReleaseWindow} from "./ReleaseWindow.sol";
import {IMintedToken} from "./TokenMover.sol";

/// @title What a vault holds, says and answers
/// @notice State, events, initialization and views; the verbs are in DrawbridgeVault.
abstract contract VaultBase is GuardianSet {
    using ReleaseWindow for ReleaseWindow.Window;

    /// @dev A lock as it was taken: minor units, and whether it went back.
    struct Lock {
        address depositor;
        uint64 amount;
        bool refunded;
    }

    /// @notice Value came in. `amount` is what arrived, in minor units; `lockReference` is the depositor's own.
    event Locked(
        uint64 indexed seq, bytes32 indexed lockId, bytes32 indexed lockReference, address depositor, uint64 amount
    );
    /// @notice A release, issue or refund was paid, once, in full. `amount` is minor units.
    event Executed(
        uint64 indexed seq,
        bytes32 indexed id,
        bytes32 indexed subject,
        uint8 kind,
        bytes32 beneficiary,
        uint64 amount,
        uint32 epoch,
        bytes trail
    );
    /// @notice The instruction `subject` can never execute; `id` is the void's own.
    event Voided(uint64 indexed seq, bytes32 indexed id, bytes32 indexed subject, uint32 epoch, bytes trail);
    /// @notice `authority` signs from `epoch` on. `id` is zero when the guardians replaced it.
    event Rotated(uint64 indexed seq, bytes32 indexed id, address authority, uint32 epoch, bool byGuardian);
    /// @notice `paused` is whether the vault stands still now, by whomever. `id` is zero for the guardians.
    event PauseChanged(uint64 indexed seq, bytes32 indexed id, bool paused, bool byGuardian);
    /// @notice Closed for ever. `tokenAmount` is the base units moved; zero in issue mode, where the token was handed over.
    event Migrated(uint64 indexed seq, bytes32 indexed id, address successor, uint256 tokenAmount);
    /// @notice The guardians would make `authority` the authority from `notBefore`, in Unix seconds, on.
    event GuardianProposed(uint64 indexed seq, address authority, uint64 notBefore);
    /// @notice The guardians dropped their proposal.
    event GuardianCancelled(uint64 indexed seq);

    /// @notice The account that may initialize, once, and nothing else.
    address public immutable deployer;

    /// @notice Address of the core's key for this vault; zero before initialization.
    address public authority;
    /// @notice Counts authorities from 1; an instruction of another epoch is refused.
    uint32 public epoch;
    bool internal _pausedByAuthority;
    bool internal _pausedByGuardian;

    /// @notice The ERC-20 token held or issued.
    address public token;
    /// @notice Events emitted so far; the last event's `seq`.
    uint64 public eventCount;
    /// @notice 1 escrow, 2 issue.
    uint8 public mode;
    /// @notice Whether the vault migrated.
    bool public closed;
    bool private _entered;

    /// @notice Minor units that may leave in any `capWindowSeconds`.
    uint64 public releaseCap;
    /// @notice Seconds.
    uint64 public capWindowSeconds;
    /// @notice Seconds from a proposal of the guardians to its completion.
    uint64 public guardianDelaySeconds;

    /// @notice keccak256 of the asset code.
    bytes32 public asset;
    /// @notice Token base units in one minor unit.
    uint256 public unit;
    /// @notice The four words of the salt, but the vault's own.
    bytes32 public serviceId;
    bytes32 public networkIdHash;
    bytes32 public genesisHash;
    /// @notice Salt of the EIP-712 domain.
    bytes32 public domainSalt;
    /// @notice EIP-712 domain separator: name "Drawbridge", version "1", salt.
    bytes32 public domainSeparator;

    /// @notice 0 unknown, 1 executed, 2 voided. A spent id stays spent.
    mapping(bytes32 id => uint8 state) public isSpent;
    /// @notice (depositor, amount in minor units, refunded) of a lock; zeros when unknown.
    mapping(bytes32 lockId => Lock) public lockOf;
    /// @notice Locks that a depositor has made; part of the next lock's id.
    mapping(address depositor => uint256) public lockNonce;

    /// @notice The authority that the guardians propose, zero when none, and the Unix second from which it may take over.
    address public proposedAuthority;
    uint64 public proposalNotBefore;
    /// @notice The vault that the guardians let this one migrate to; zero when none.
    address public approvedSuccessor;
    ReleaseWindow.Window internal _window;

    constructor() {
        deployer = msg.sender;
    }

    /// @dev Every entry point: initialized, not migrated, and no call inside another.
    modifier guarded() {
        _enter();
        _;
        _entered = false;
    }

    /// @notice Binds the vault to service, network, asset and authority; by the deployer, once.
    /// Reverts: NotDeployer, AlreadyInitialized, InvalidConfig with the field's name.
    function initialize(VaultConfig calldata config) external {
        if (msg.sender != deployer) revert NotDeployer();
        if (authority != address(0)) revert AlreadyInitialized();
        _checkConfig(config);
        _setGuardians(config.guardians, config.guardianThreshold);
        serviceId = config.serviceId;
        networkIdHash = config.networkIdHash;
        genesisHash = config.genesisHash;
        authority = config.authority;
        epoch = 1;
        token = config.token;
        mode = config.mode;
        asset = config.asset;
        unit = config.unit;
        releaseCap = config.releaseCap;
        capWindowSeconds = config.capWindowSeconds;
        guardianDelaySeconds = config.guardianDelaySeconds;
        domainSalt = saltFor(config.serviceId, config.networkIdHash, config.genesisHash, address(this));
        domainSeparator = InstructionDigest.domainSeparatorFor(domainSalt);
    }

    /// @notice Whether locks, releases and issues stand still.
    function paused() public view returns (bool) {
        return _pausedByAuthority || _pausedByGuardian;
    }

    /// @notice Whether the authority's pause and the guardians' pause stand; each is lifted by its own side only.
    function pausedBy() external view returns (bool byAuthority, bool byGuardian) {
        return (_pausedByAuthority, _pausedByGuardian);
    }

    /// @notice Minor units that may leave at this block's time.
    function releaseHeadroom() external view returns (uint64) {
        if (authority == address(0)) revert NotInitialized();
        return ReleaseWindow.headroom(_window.advanced(capWindowSeconds), releaseCap);
    }

    /// @notice The digest that this vault's authority signs for `i`.
    function digest(Instruction calldata i) external view returns (bytes32) {
        return InstructionDigest.digest(domainSeparator, InstructionDigest.structHash(i));
    }

    /// @notice The digest of `i` in the domain of `salt`; for checking other languages against this one.
    function digestFor(bytes32 salt, Instruction calldata i) external pure returns (bytes32) {
        return InstructionDigest.digest(InstructionDigest.domainSeparatorFor(salt), InstructionDigest.structHash(i));
    }

    /// @notice The domain salt of a vault: keccak256 of service id, network id hash, genesis hash, keccak256(vault).
    function saltFor(bytes32 serviceId_, bytes32 networkIdHash_, bytes32 genesisHash_, address vault_)
        public
        pure
        returns (bytes32)
    {
        return InstructionDigest.saltFor(serviceId_, networkIdHash_, genesisHash_, vault_);
    }

    /// @dev The next event's `seq`: contiguous from 1.
    function _nextSeq() internal returns (uint64) {
        return ++eventCount;
    }

    /// @dev Books minor units that leave against the cap.
    function _spendCap(uint64 amount) internal {
        _window.spend(amount, releaseCap, capWindowSeconds);
    }

    function _enter() private {
        if (_entered) revert ReentrantCall();
        if (authority == address(0)) revert NotInitialized();
        if (closed) revert VaultClosed();
        _entered = true;
    }

    function _checkConfig(VaultConfig calldata config) private view {
        if (config.serviceId == 0) revert InvalidConfig("serviceId");
        if (config.networkIdHash == 0) revert InvalidConfig("networkIdHash");
        if (config.genesisHash == 0) revert InvalidConfig("genesisHash");
        if (config.authority == address(0)) revert InvalidConfig("authority");
        if (config.token.code.length == 0) revert InvalidConfig("token");
        if (config.mode != MODE_ESCROW && config.mode != MODE_ISSUE) revert InvalidConfig("mode");
        if (config.mode == MODE_ISSUE && IMintedToken(config.token).vault() == address(0)) revert InvalidConfig("token");
        if (config.asset == 0) revert InvalidConfig("asset");
        if (config.unit == 0 || config.unit > type(uint256).max / AMOUNT_LIMIT) revert InvalidConfig("unit");
        if (config.releaseCap == 0) revert InvalidConfig("releaseCap");
        if (!_isPeriod(config.capWindowSeconds)) revert InvalidConfig("capWindowSeconds");
        if (!_isPeriod(config.guardianDelaySeconds)) revert InvalidConfig("guardianDelaySeconds");
    }

    function _isPeriod(uint64 length) private pure returns (bool) {
        return length > 0 && length <= MAX_PERIOD_SECONDS;
    }
}
