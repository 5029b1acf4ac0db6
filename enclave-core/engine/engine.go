// Package main is etcd's raft as a WebAssembly module that does no I/O.
//
// One instance is one raft node. It has no goroutines, timers, sockets or disk: a call carries a message,
// a tick or an acknowledgement in, and data out. The host owns clock, entropy, network and disk.
// Storage inside is raft's MemoryStorage, a cache of the tail of the log; the durable log is the host's.
// raft always runs with asynchronous storage writes: see append_done and apply_done.
//
// Every frame is little-endian and checked for length before it is read, so no input of the host can
// make a call panic. What still panics is a broken invariant of raft itself (for example a peer that
// acknowledged entries and lost them); the instance then exits and must not be called again.
package main

import (
	"errors"
	"fmt"
	"math"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/confchange"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// Result codes of every export that can fail. The text of the error is in the output buffer.
const (
	codeRefused           = -1
	codeProposalDropped   = -2
	codeCompacted         = -3
	codeSnapshotOutOfDate = -4
	codeUnavailable       = -5
	codeMalformed         = -6
	codeOutOfOrder        = -7
)

var (
	errMalformed  = errors.New("malformed frame")
	errOutOfOrder = errors.New("call out of order")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}

func outOfOrder(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errOutOfOrder}, args...)...)
}

func codeOf(err error) int32 {
	switch {
	case errors.Is(err, errMalformed):
		return codeMalformed
	case errors.Is(err, errOutOfOrder):
		return codeOutOfOrder
	case errors.Is(err, raft.ErrProposalDropped):
		return codeProposalDropped
	case errors.Is(err, raft.ErrCompacted):
		return codeCompacted
	case errors.Is(err, raft.ErrSnapOutOfDate):
		return codeSnapshotOutOfDate
	case errors.Is(err, raft.ErrUnavailable):
		return codeUnavailable
	}
	return codeRefused
}

// maxSafeID bounds ids, terms and indexes, because the host reads them as doubles.
const maxSafeID = 1<<53 - 1

// engine is the state of the one node of this instance. A method reads its frame from `in`, writes its
// result to `out`, and returns an error before it changed anything.
type engine struct {
	out      writer
	storage  *raft.MemoryStorage
	node     *raft.RawNode
	selfID   uint64
	hard     *pb.HardState // as loaded, before create
	appends  []*pb.Message // MsgStorageAppend not yet acknowledged, oldest first
	applies  []*pb.Message // MsgStorageApply not yet acknowledged, oldest first
	logLevel uint32
	logSink  func(level uint32, text string)
}

func newEngine(logSink func(level uint32, text string)) *engine {
	return &engine{storage: raft.NewMemoryStorage(), logLevel: levelWarning, logSink: logSink}
}

func (e *engine) mustBeCreated() error {
	if e.node == nil {
		return outOfOrder("the node is not created yet")
	}
	return nil
}

func (e *engine) mustNotBeCreated() error {
	if e.node != nil {
		return outOfOrder("the node is created already")
	}
	return nil
}

// loadSnapshot reads a snapshot frame. Index 1, term 1 and the first voters bootstrap a group.
func (e *engine) loadSnapshot(in *reader) error {
	if err := e.mustNotBeCreated(); err != nil {
		return err
	}
	s := in.snapshot()
	if err := in.end(); err != nil {
		return err
	}
	if s.GetMetadata().GetIndex() == 0 || s.GetMetadata().GetTerm() == 0 {
		return malformed("a snapshot starts at index 1 and term 1")
	}
	if err := checkConfState(s.GetMetadata().GetConfState()); err != nil {
		return err
	}
	return e.storage.ApplySnapshot(s)
}

// loadHardState reads term, vote and commit, each u64.
func (e *engine) loadHardState(in *reader) error {
	if err := e.mustNotBeCreated(); err != nil {
		return err
	}
	hs := &pb.HardState{Term: new(in.u64()), Vote: new(in.u64()), Commit: new(in.u64())}
	if err := in.end(); err != nil {
		return err
	}
	e.hard = hs
	return e.storage.SetHardState(hs)
}

// loadEntries reads an entry list that continues what is loaded already.
func (e *engine) loadEntries(in *reader) error {
	if err := e.mustNotBeCreated(); err != nil {
		return err
	}
	entries := in.entries()
	if err := in.end(); err != nil {
		return err
	}
	last, err := e.storage.LastIndex()
	if err != nil {
		return err
	}
	term, err := e.storage.Term(last)
	if err != nil {
		return err
	}
	if err := checkSequence(entries, last, term); err != nil {
		return err
	}
	return e.storage.Append(entries)
}

// Flags of the create frame.
const (
	flagPreVote           = 1
	flagCheckQuorum       = 2
	flagStepDownOnRemoval = 4
)

// create reads id u64, electionTick u32, heartbeatTick u32, flags u32, maxInflightMessages u32,
// maxSizePerMessage, maxInflightBytes, maxUncommittedBytes, maxCommittedPerReady, applied (u64 each;
// 0 means raft's default, for sizes "no limit") and logLevel u32.
func (e *engine) create(in *reader) error {
	if err := e.mustNotBeCreated(); err != nil {
		return err
	}
	id, election, heartbeat, flags, inflight := in.u64(), in.u32(), in.u32(), in.u32(), in.u32()
	perMessage, inflightBytes, uncommitted, perReady, applied := in.u64(), in.u64(), in.u64(), in.u64(), in.u64()
	level := in.u32()
	if err := in.end(); err != nil {
		return err
	}
	if id == 0 || id > maxSafeID {
		return malformed("the id must be between 1 and 2^53-1")
	}
	if perMessage == 0 {
		perMessage = math.MaxUint64
	}
	if err := e.checkLoaded(applied); err != nil {
		return err
	}
	e.logLevel = level
	node, err := raft.NewRawNode(&raft.Config{
		ID: id, ElectionTick: int(election), HeartbeatTick: int(heartbeat), Storage: e.storage,
		PreVote: flags&flagPreVote != 0, CheckQuorum: flags&flagCheckQuorum != 0,
		StepDownOnRemoval: flags&flagStepDownOnRemoval != 0, AsyncStorageWrites: true,
		DisableProposalForwarding: true, ReadOnlyOption: raft.ReadOnlySafe, MaxInflightMsgs: int(inflight),
		MaxSizePerMsg: perMessage, MaxInflightBytes: inflightBytes, MaxUncommittedEntriesSize: uncommitted,
		MaxCommittedSizePerReady: perReady, Applied: applied, Logger: raftLogger{e},
	})
	if err != nil {
		return err
	}
	e.node, e.selfID = node, id
	return nil
}

// checkLoaded refuses what NewRawNode would panic on.
func (e *engine) checkLoaded(applied uint64) error {
	first, err := e.storage.FirstIndex()
	if err != nil {
		return err
	}
	last, err := e.storage.LastIndex()
	if err != nil {
		return err
	}
	lastTerm, err := e.storage.Term(last)
	if err != nil {
		return err
	}
	commit, term := e.hard.GetCommit(), e.hard.GetTerm()
	if raft.IsEmptyHardState(e.hard) {
		commit, term = first-1, lastTerm
	}
	if commit < first-1 || commit > last {
		return malformed("commit %d is outside of the loaded log [%d, %d]", commit, first-1, last)
	}
	if term < lastTerm {
		return malformed("term %d is below the term %d of the last entry", term, lastTerm)
	}
	if applied != 0 && (applied < first-1 || applied > commit) {
		return malformed("applied %d is outside of [%d, %d]", applied, first-1, commit)
	}
	return nil
}

// checkConfState refuses a configuration that raft would panic on.
func checkConfState(cs *pb.ConfState) error {
	_, err := restored(cs)
	return err
}

func restored(cs *pb.ConfState) (confchange.Changer, error) {
	changer := confchange.Changer{Tracker: tracker.MakeProgressTracker(1, 0), LastIndex: 1}
	for _, ids := range [][]uint64{cs.GetVoters(), cs.GetLearners(), cs.GetVotersOutgoing(), cs.GetLearnersNext()} {
		for _, id := range ids {
			if id == 0 || id > maxSafeID {
				return changer, malformed("the id %d of a member is outside of 1 to 2^53-1", id)
			}
		}
	}
	if len(cs.GetVoters()) == 0 {
		return changer, malformed("a configuration without voters")
	}
	config, progress, err := confchange.Restore(changer, cs)
	if err != nil {
		return changer, malformed("configuration: %v", err)
	}
	changer.Tracker.Config, changer.Tracker.Progress = config, progress
	if err := cs.Equivalent(changer.Tracker.ConfState()); err != nil {
		return changer, malformed("configuration: %v", err)
	}
	return changer, nil
}

// checkSequence refuses entries that do not follow `last` one by one with terms that never fall.
func checkSequence(entries []*pb.Entry, last, term uint64) error {
	for _, entry := range entries {
		if entry.GetIndex() != last+1 {
			return malformed("entry %d follows entry %d", entry.GetIndex(), last)
		}
		if entry.GetTerm() < term || entry.GetTerm() == 0 {
			return malformed("entry %d has term %d after term %d", entry.GetIndex(), entry.GetTerm(), term)
		}
		if entry.GetType() < pb.EntryNormal || entry.GetType() > pb.EntryConfChangeV2 {
			return malformed("entry %d has the unknown type %d", entry.GetIndex(), entry.GetType())
		}
		last, term = entry.GetIndex(), entry.GetTerm()
	}
	return nil
}
