// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReleaseCapExceeded} from "./VaultErrors.sol";

/// @title The cap on what leaves a vault
/// @notice In any span of `windowSeconds`, wherever it begins, at most `cap` minor units leave.
/// @dev Time is cut into buckets of half a window, rounded up. A span of one window, both ends included, touches at most
/// three neighbouring buckets, and the sum over the present and the two before it is kept at or below the cap. The
/// price of this exact bound: what was spent counts for one window at least and one and a half (and a second, when the
/// window is odd) at most.
library ReleaseWindow {
    /// @dev One storage word. Sums are minor units and never exceed the cap, so they fit.
    struct Window {
        uint64 bucket;
        uint64 current;
        uint64 previous;
        uint64 oldest;
    }

    /// @notice Books `amount` at block time, or reverts with ReleaseCapExceeded.
    function spend(Window storage window, uint64 amount, uint64 cap, uint64 windowSeconds) internal {
        Window memory next = advanced(window, windowSeconds);
        uint64 room = headroom(next, cap);
        if (amount > room) revert ReleaseCapExceeded(room, amount);
        next.current += amount;
        window.bucket = next.bucket;
        window.current = next.current;
        window.previous = next.previous;
        window.oldest = next.oldest;
    }

    /// @notice Minor units that may leave at once, `window` being advanced to now.
    function headroom(Window memory window, uint64 cap) internal pure returns (uint64) {
        return cap - window.current - window.previous - window.oldest;
    }

    /// @notice The window as it stands at block time.
    function advanced(Window storage window, uint64 windowSeconds) internal view returns (Window memory next) {
        next = window;
        uint64 bucket = uint64(block.timestamp) / (windowSeconds - windowSeconds / 2);
        uint64 passed = bucket - next.bucket;
        if (passed == 0) return next;
        next.oldest = passed == 1 ? next.previous : passed == 2 ? next.current : 0;
        next.previous = passed == 1 ? next.current : 0;
        next.current = 0;
        next.bucket = bucket;
    }
}
