package main

import (
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Flags of a Ready frame.
const (
	readyHardState     = 1
	readySoftState     = 2
	readyAppendPending = 4  // acknowledge with append_done
	readyApplyPending  = 8  // acknowledge with apply_done
	readyMustSync      = 16 // the append must be durable before append_done
)

// ready gives what the host has to do now, or an empty output. out:
//
//	u32 flags
//	[hard state: term u64, vote u64, commit u64]   [soft state: leader u64, role u8]
//	entries to persist; u8 1 and snapshot to persist and restore, or u8 0; committed entries to apply
//	messages to send
//	u32 count of read states, each index u64, u32 length and context
func (e *engine) ready() error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	if !e.node.HasReady() {
		return nil
	}
	rd := e.node.Ready()
	var flags uint32
	var hard *pb.HardState
	var entries, committed []*pb.Entry
	var snapshot *pb.Snapshot
	holdVoteRequests(&rd)
	for _, m := range rd.Messages {
		switch m.GetType() {
		case pb.MsgStorageAppend:
			hard, entries, snapshot = hardStateOf(m), m.GetEntries(), m.GetSnapshot()
			e.appends = append(e.appends, m)
			flags |= readyAppendPending
			if len(m.GetResponses()) > 0 { // raft: without responses durability is not required
				flags |= readyMustSync
			}
		case pb.MsgStorageApply:
			committed = m.GetEntries()
			e.applies = append(e.applies, m)
			flags |= readyApplyPending
		}
	}
	if !raft.IsEmptyHardState(hard) {
		flags |= readyHardState
	}
	if rd.SoftState != nil {
		flags |= readySoftState
	}
	e.out.u32(flags)
	if flags&readyHardState != 0 {
		e.out.u64(hard.GetTerm())
		e.out.u64(hard.GetVote())
		e.out.u64(hard.GetCommit())
	}
	if flags&readySoftState != 0 {
		e.out.u64(rd.SoftState.Lead)
		e.out.u8(byte(rd.SoftState.RaftState))
	}
	e.out.entries(entries)
	e.out.optionalSnapshot(snapshot)
	e.out.entries(committed)
	if err := e.out.messages(rd.Messages, func(m *pb.Message) bool { return !raft.IsLocalMsgTarget(m.GetTo()) }); err != nil {
		return err
	}
	e.out.u32(uint32(len(rd.ReadStates)))
	for _, state := range rd.ReadStates {
		e.out.u64(state.Index)
		e.out.bytes(state.RequestCtx)
	}
	return nil
}

// holdVoteRequests makes a candidate ask for votes only when its term, its own vote and its log are durable: the requests
// become responses of the append that carries them. raft itself sends them at once, so that others' votes alone could elect
// a node that forgets the term when its power fails. It could then be voted for in that term again by the same voters, and
// give an index and term that others hold already another content.
func holdVoteRequests(rd *raft.Ready) {
	var storing *pb.Message
	for _, m := range rd.Messages {
		if m.GetType() == pb.MsgStorageAppend {
			storing = m
		}
	}
	if storing == nil {
		return
	}
	kept := rd.Messages[:0:0]
	for _, m := range rd.Messages {
		if m.GetType() == pb.MsgVote {
			storing.Responses = append(storing.Responses, m)
		} else {
			kept = append(kept, m)
		}
	}
	rd.Messages = kept
}

func hardStateOf(m *pb.Message) *pb.HardState {
	if m.Term == nil && m.Vote == nil && m.Commit == nil {
		return nil
	}
	return &pb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
}

// appendDone: the oldest `count` pending appends are durable. out: messages to send now.
func (e *engine) appendDone(count uint32) error {
	done, err := takeOldest(&e.appends, count)
	if err != nil {
		return err
	}
	for _, m := range done {
		e.cache(m)
	}
	return e.deliver(done)
}

// applyDone: the oldest `count` pending batches of committed entries are applied. out: messages to send now.
func (e *engine) applyDone(count uint32) error {
	done, err := takeOldest(&e.applies, count)
	if err != nil {
		return err
	}
	return e.deliver(done)
}

func takeOldest(queue *[]*pb.Message, count uint32) ([]*pb.Message, error) {
	if count == 0 || uint64(count) > uint64(len(*queue)) {
		return nil, outOfOrder("%d acknowledged, %d pending", count, len(*queue))
	}
	done := append([]*pb.Message(nil), (*queue)[:count]...)
	*queue = append((*queue)[:0], (*queue)[count:]...)
	clear((*queue)[len(*queue) : len(*queue)+int(count)])
	return done, nil
}

// cache puts what is durable into raft's storage. raft itself made the message, so an error is a broken invariant.
func (e *engine) cache(m *pb.Message) {
	if !raft.IsEmptySnap(m.GetSnapshot()) {
		if err := e.storage.ApplySnapshot(m.GetSnapshot()); err != nil {
			panic(err)
		}
	}
	if err := e.storage.Append(m.GetEntries()); err != nil {
		panic(err)
	}
	if hard := hardStateOf(m); !raft.IsEmptyHardState(hard) {
		if err := e.storage.SetHardState(hard); err != nil {
			panic(err)
		}
	}
}

// deliver steps the responses that are for this node and writes out the others.
func (e *engine) deliver(done []*pb.Message) error {
	var responses []*pb.Message
	for _, m := range done {
		responses = append(responses, m.GetResponses()...)
	}
	for _, m := range responses {
		if m.GetTo() == e.selfID {
			// Refused only when this node has left the configuration meanwhile; RawNode.Advance ignores it as well.
			_ = e.node.Step(m)
		}
	}
	return e.out.messages(responses, func(m *pb.Message) bool { return m.GetTo() != e.selfID })
}
