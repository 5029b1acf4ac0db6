// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenRefused, TokenWithoutCode, TransferNotExact} from "./VaultErrors.sol";

interface IERC20 {
    function totalSupply() external view returns (uint256);
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @notice A representation that one vault mints and burns.
interface IMintedToken is IERC20 {
    function vault() external view returns (address);
    function mint(address to, uint256 amount) external;
    function burnFrom(address from, uint256 amount) external;
    function setVault(address successor) external;
}

/// @title Token movements that are measured, never believed
/// @notice Amounts are token base units. Takes tokens that return a bool and tokens that return nothing; false, and an
/// address without code, revert.
library TokenMover {
    /// @notice Takes `amount` from `from` into this contract; returns what arrived, which a token with fees makes less.
    function pull(address token, address from, uint256 amount) internal returns (uint256 arrived) {
        uint256 before = _balance(token, address(this));
        _call(token, abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)));
        arrived = _balance(token, address(this)) - before;
    }

    /// @notice Pays `amount` to `to`; this contract's balance must fall by exactly that.
    function push(address token, address to, uint256 amount) internal {
        uint256 before = _balance(token, address(this));
        _call(token, abi.encodeCall(IERC20.transfer, (to, amount)));
        _demandChange(amount, before, _balance(token, address(this)));
    }

    /// @notice Burns `amount` of `from`; its balance and the total supply must both fall by exactly that.
    function burn(address token, address from, uint256 amount) internal {
        uint256 balance = _balance(token, from);
        uint256 supply = IERC20(token).totalSupply();
        _call(token, abi.encodeCall(IMintedToken.burnFrom, (from, amount)));
        _demandChange(amount, balance, _balance(token, from));
        _demandChange(amount, supply, IERC20(token).totalSupply());
    }

    /// @notice Mints `amount` to `to`; its balance and the total supply must both rise by exactly that.
    function mint(address token, address to, uint256 amount) internal {
        uint256 balance = _balance(token, to);
        uint256 supply = IERC20(token).totalSupply();
        _call(token, abi.encodeCall(IMintedToken.mint, (to, amount)));
        _demandChange(amount, _balance(token, to), balance);
        _demandChange(amount, IERC20(token).totalSupply(), supply);
    }

    /// @dev First and last step of every movement, so that a token without code never counts as one that moved.
    function _balance(address token, address owner) private view returns (uint256) {
        if (token.code.length == 0) revert TokenWithoutCode(token);
        return IERC20(token).balanceOf(owner);
    }

    function _demandChange(uint256 expected, uint256 high, uint256 low) private pure {
        uint256 measured = high > low ? high - low : 0;
        if (measured != expected) revert TransferNotExact(expected, measured);
    }

    /// @dev A token's own reason is passed on, so that an operator can read why a beneficiary was refused.
    function _call(address token, bytes memory data) private {
        (bool ok, bytes memory answer) = token.call(data);
        if (!ok) {
            if (answer.length == 0) revert TokenRefused();
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        if (answer.length == 0) return;
        if (answer.length < 32 || abi.decode(answer, (uint256)) != 1) revert TokenRefused();
    }
}
