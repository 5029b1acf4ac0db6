//go:build wasip1

package main

import (
	"runtime"
	"runtime/debug"
	"unsafe"
)

func main() {}

//go:wasmimport raft log
func hostLog(level uint32, p unsafe.Pointer, n uint32)

// maxInput bounds an input frame, maxReserve one reservation, in bytes.
const (
	maxInput   = 256 << 20
	maxReserve = 1 << 30
)

var (
	// mailbox: output pointer, output length, input pointer, input capacity.
	mailbox [4]uint32
	input   []byte
	self    = newEngine(func(level uint32, text string) {
		if len(text) > 0 {
			hostLog(level, unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
		}
	})
)

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// run calls f and publishes its output, or the text of its error. The result is the length of the output or an error code.
func run(f func() error) int32 {
	self.out.reset()
	err := f()
	if err != nil {
		self.out.reset()
		copy(self.out.grow(len(err.Error())), err.Error())
	}
	if cap(self.out.buf) > 0 {
		mailbox[0] = address(self.out.buf)
	}
	mailbox[1] = uint32(len(self.out.buf))
	if err != nil {
		return codeOf(err)
	}
	return int32(mailbox[1])
}

// runOn calls f with the first n bytes of the input buffer.
func runOn(n uint32, f func(in *reader) error) int32 {
	return run(func() error {
		if uint64(n) > uint64(len(input)) {
			return malformed("%d bytes announced, the input buffer has %d", n, len(input))
		}
		return f(&reader{rest: input[:n]})
	})
}

//go:wasmexport mailbox
func exportMailbox() uint32 { return uint32(uintptr(unsafe.Pointer(&mailbox))) }

// in_buf makes the input buffer hold n bytes and returns its address, or 0 when n is above maxInput.
//
//go:wasmexport in_buf
func exportInBuf(n uint32) uint32 {
	if n > maxInput {
		return 0
	}
	if len(input) == 0 || uint32(len(input)) < n {
		input = make([]byte, max(n, 64<<10))
		mailbox[2], mailbox[3] = address(input), uint32(len(input))
	}
	return mailbox[2]
}

//go:wasmexport load_snapshot
func exportLoadSnapshot(n uint32) int32 { return runOn(n, self.loadSnapshot) }

//go:wasmexport load_hardstate
func exportLoadHardState(n uint32) int32 { return runOn(n, self.loadHardState) }

//go:wasmexport load_entries
func exportLoadEntries(n uint32) int32 { return runOn(n, self.loadEntries) }

//go:wasmexport create
func exportCreate(n uint32) int32 { return runOn(n, self.create) }

//go:wasmexport tick
func exportTick(count uint32) int32 { return run(func() error { return self.tick(count) }) }

//go:wasmexport step
func exportStep(n uint32) int32 { return runOn(n, self.step) }

//go:wasmexport step_snapshot
func exportStepSnapshot(n uint32) int32 { return runOn(n, self.stepSnapshot) }

//go:wasmexport propose
func exportPropose(n uint32) int32 { return runOn(n, self.propose) }

//go:wasmexport propose_conf_change
func exportProposeConfChange(n uint32) int32 { return runOn(n, self.proposeConfChange) }

//go:wasmexport apply_conf_change
func exportApplyConfChange(n uint32) int32 { return runOn(n, self.applyConfChange) }

//go:wasmexport read_index
func exportReadIndex(n uint32) int32 { return runOn(n, self.readIndex) }

//go:wasmexport campaign
func exportCampaign() int32 { return run(self.campaign) }

//go:wasmexport transfer_leader
func exportTransferLeader(id uint64) int32 {
	return run(func() error { return self.transferLeader(id) })
}

//go:wasmexport report_unreachable
func exportReportUnreachable(id uint64) int32 {
	return run(func() error { return self.reportUnreachable(id) })
}

//go:wasmexport report_snapshot
func exportReportSnapshot(id uint64, delivered uint32) int32 {
	return run(func() error { return self.reportSnapshot(id, delivered != 0) })
}

//go:wasmexport ready
func exportReady() int32 { return run(self.ready) }

//go:wasmexport append_done
func exportAppendDone(count uint32) int32 { return run(func() error { return self.appendDone(count) }) }

//go:wasmexport apply_done
func exportApplyDone(count uint32) int32 { return run(func() error { return self.applyDone(count) }) }

//go:wasmexport create_snapshot
func exportCreateSnapshot(n uint32) int32 { return runOn(n, self.createSnapshot) }

//go:wasmexport compact
func exportCompact(index uint64) int32 { return run(func() error { return self.compact(index) }) }

//go:wasmexport status
func exportStatus() int32 { return run(self.status) }

//go:wasmexport progress
func exportProgress() int32 { return run(self.progress) }

// memory. out: heap in use, heap reserved, total reserved, number of collections, pause total in ns (u64 each).
//
//go:wasmexport memory_stats
func exportMemoryStats() int32 {
	return run(func() error {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		for _, v := range [...]uint64{m.HeapAlloc, m.HeapSys, m.Sys, uint64(m.NumGC), m.PauseTotalNs} {
			self.out.u64(v)
		}
		return nil
	})
}

// reserve makes the heap large enough for n more bytes at once. The host pays for every growth of the memory, whatever its
// size, so what will be needed is better asked for in one piece.
//
//go:wasmexport reserve
func exportReserve(n uint32) int32 {
	return run(func() error {
		if n > maxReserve {
			return malformed("%d bytes to reserve, at most %d", n, maxReserve)
		}
		runtime.KeepAlive(make([]byte, n))
		runtime.GC() // now it is free for smaller things, and does not count as in use
		return nil
	})
}

// set_gc sets the collector's percentage and, when not 0, its soft limit in bytes.
//
//go:wasmexport set_gc
func exportSetGC(percent int32, limit uint64) {
	debug.SetGCPercent(int(percent))
	if limit != 0 {
		debug.SetMemoryLimit(int64(limit & (1<<63 - 1)))
	}
}
