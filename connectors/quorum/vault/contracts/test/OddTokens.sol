// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Keeps a fee, in hundredths of a percent, of every transfer: of what arrives, or on top of what leaves.
contract FeeToken is TestToken {
    uint256 public feeBps;
    bool public onTop;

    constructor() TestToken("Fee", "FEE", 4) {}

    function setFee(uint256 bps, bool onTop_) external {
        feeBps = bps;
        onTop = onTop_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        uint256 fee = amount * feeBps / 10_000;
        super._move(from, address(0xfee), fee);
        super._move(from, to, onTop ? amount : amount - fee);
    }
}

/// @notice Answers false and moves nothing while it is told to.
contract FalseToken is TestToken {
    bool public refusing;

    constructor() TestToken("False", "FALSE", 2) {}

    function refuse(bool on) external {
        refusing = on;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (refusing) return false;
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        if (refusing) return false;
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }
}

/// @notice Says that it moved and moves nothing.
contract LyingToken is TestToken {
    constructor() TestToken("Lying", "LIE", 2) {}

    function transfer(address, uint256) external pure override returns (bool) {
        return true;
    }

    function transferFrom(address, address, uint256) external pure override returns (bool) {
        return true;
    }
}

/// @notice Answers true with 31 bytes too few.
contract ShortAnswerToken is TestToken {
    constructor() TestToken("Short", "SHORT", 2) {}

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        _move(from, to, amount);
        assembly {
            mstore8(0, 1)
            return(0, 1)
        }
    }
}

/// @notice Refuses to pay some recipients, with a reason or without.
contract BlockingToken is TestToken {
    mapping(address recipient => bool) public blocked;
    bool public silent;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) TestToken(name_, symbol_, decimals_) {}

    function setBlocked(address recipient, bool on) external {
        blocked[recipient] = on;
    }

    function setSilent(bool on) external {
        silent = on;
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (blocked[to] && silent) revert();
        require(!blocked[to], "recipient blocked");
        super._move(from, to, amount);
    }
}

/// @notice Calls into the vault while the vault moves it, and passes the vault's refusal on.
contract ReentrantToken is TestToken {
    address public target;
    bytes public payload;

    constructor() TestToken("Reentrant", "RE", 2) {}

    function arm(address target_, bytes calldata payload_) external {
        target = target_;
        payload = payload_;
    }

    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        if (target == address(0)) return;
        (bool ok, bytes memory answer) = target.call(payload);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

/// @notice Returns nothing from transfer and transferFrom, as some old tokens do.
contract SilentToken {
    uint8 public constant decimals = 2;
    uint256 public totalSupply;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice A representation token whose balances or supply change by less than they were told to.
contract CrookedMintToken is TestToken {
    address public vault;
    uint256 public balanceOff;
    uint256 public supplyOff;

    constructor(address vault_) TestToken("Crooked", "CRK", 2) {
        vault = vault_;
    }

    function setOff(uint256 balanceOff_, uint256 supplyOff_) external {
        balanceOff = balanceOff_;
        supplyOff = supplyOff_;
    }

    function mint(address to, uint256 amount) external override {
        balanceOf[to] += amount - balanceOff;
        totalSupply += amount - supplyOff;
    }

    function burnFrom(address from, uint256 amount) external {
        balanceOf[from] -= amount - balanceOff;
        totalSupply -= amount - supplyOff;
    }
}
