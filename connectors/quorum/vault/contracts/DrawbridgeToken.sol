// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A representation of an asset that lives elsewhere
/// @notice An ERC-20 token that only its vault mints and burns. Amounts are base units: 10^decimals make one whole.
/// @dev `decimals` is at least the asset's scale, so that the vault's unit, 10^(decimals - scale), is at least 1.
contract DrawbridgeToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    /// @notice The only contract that mints and burns; it can hand this to its successor.
    address public vault;
    uint256 public totalSupply;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event VaultChanged(address vault);

    /// The caller is not the token's vault.
    error NotTokenVault(address caller);
    /// Zero is nobody's account.
    error ZeroAddress();
    /// The owner has less than that.
    error InsufficientBalance(uint256 balance, uint256 amount);
    /// The owner allowed the spender less than that.
    error InsufficientAllowance(uint256 allowed, uint256 amount);

    modifier onlyVault() {
        if (msg.sender != vault) revert NotTokenVault(msg.sender);
        _;
    }

    /// @param vault_ deployed before the token, and initialized with it afterwards.
    constructor(string memory name_, string memory symbol_, uint8 decimals_, address vault_) {
        if (vault_ == address(0)) revert ZeroAddress();
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        vault = vault_;
        emit VaultChanged(vault_);
    }

    /// @notice Creates `amount` for `to`. Reverts: NotTokenVault, ZeroAddress.
    function mint(address to, uint256 amount) external onlyVault {
        if (to == address(0)) revert ZeroAddress();
        totalSupply += amount;
        unchecked {
            balanceOf[to] += amount;
        }
        emit Transfer(address(0), to, amount);
    }

    /// @notice Destroys `amount` of `from`, who allowed the vault that much.
    /// Reverts: NotTokenVault, InsufficientAllowance, InsufficientBalance.
    function burnFrom(address from, uint256 amount) external onlyVault {
        _spendAllowance(from, amount);
        _debit(from, amount);
        unchecked {
            totalSupply -= amount;
        }
        emit Transfer(from, address(0), amount);
    }

    /// @notice Hands minting and burning to another vault. Reverts: NotTokenVault, ZeroAddress.
    function setVault(address successor) external onlyVault {
        if (successor == address(0)) revert ZeroAddress();
        vault = successor;
        emit VaultChanged(successor);
    }

    /// @notice Sets what `spender` may take of the caller's; the largest number is never used up.
    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    /// @notice Moves `amount` of the caller's to `to`. Reverts: ZeroAddress, InsufficientBalance.
    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    /// @notice Moves `amount` of `from` to `to`. Reverts: InsufficientAllowance, ZeroAddress, InsufficientBalance.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _spendAllowance(from, amount);
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        if (to == address(0)) revert ZeroAddress();
        _debit(from, amount);
        unchecked {
            balanceOf[to] += amount;
        }
        emit Transfer(from, to, amount);
    }

    function _debit(address from, uint256 amount) private {
        uint256 balance = balanceOf[from];
        if (balance < amount) revert InsufficientBalance(balance, amount);
        unchecked {
            balanceOf[from] = balance - amount;
        }
    }

    function _spendAllowance(address owner, uint256 amount) private {
        uint256 allowed = allowance[owner][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < amount) revert InsufficientAllowance(allowed, amount);
        unchecked {
            allowance[owner][msg.sender] = allowed - amount;
        }
    }
}
