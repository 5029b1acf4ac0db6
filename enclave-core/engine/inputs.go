package main

import (
	"bytes"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"
)

// maxTicks bounds one call, so that a wrong count cannot hang the host.
const maxTicks = 1024

func (e *engine) tick(count uint32) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	if count > maxTicks {
		return malformed("%d ticks at once", count)
	}
	for ; count > 0; count-- {
		e.node.Tick()
	}
	return nil
}

// step reads from u64 and a list of raftpb.Message that the peer `from` sent, authenticated by the host.
// out: u32 number of messages refused. A message is refused when it names another sender or receiver, is
// of a type that never travels (proposals are not forwarded), is inconsistent in itself, or when raft refuses it.
func (e *engine) step(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	from := in.u64()
	messages := make([]*pb.Message, 0, 8)
	for in.bad == "" && len(in.rest) > 0 {
		m := new(pb.Message)
		frame := in.bytes()
		if in.bad == "" {
			if err := proto.Unmarshal(frame, m); err != nil {
				return malformed("raftpb.Message: %v", err)
			}
			messages = append(messages, m)
		}
	}
	if err := in.end(); err != nil {
		return err
	}
	var refused uint32
	for _, m := range messages {
		if m.GetFrom() != from || m.GetTo() != e.selfID || !travels(m) || e.node.Step(m) != nil {
			refused++
		}
	}
	e.out.u32(refused)
	return nil
}

// travels tells whether a message is of a type that peers exchange and is consistent in itself.
func travels(m *pb.Message) bool {
	if raft.IsLocalMsg(m.GetType()) {
		return false
	}
	switch m.GetType() {
	case pb.MsgProp, pb.MsgForgetLeader, pb.MsgSnap: // a snapshot comes with its content, by stepSnapshot
		return false
	case pb.MsgApp:
		return checkSequence(m.GetEntries(), m.GetIndex(), m.GetLogTerm()) == nil
	}
	return true
}

// stepSnapshot reads from u64, u32 length and data, u32 length and a raftpb.Message of type MsgSnap that the peer `from`
// sent. Refused unless the message carries exactly this data, which the host computed from what it received beside it.
// out: u32 number of messages refused.
func (e *engine) stepSnapshot(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	from, data, frame := in.u64(), in.bytes(), in.bytes()
	if err := in.end(); err != nil {
		return err
	}
	m := new(pb.Message)
	if err := proto.Unmarshal(frame, m); err != nil {
		return malformed("raftpb.Message: %v", err)
	}
	meta := m.GetSnapshot().GetMetadata()
	if m.GetType() != pb.MsgSnap || m.GetFrom() != from || m.GetTo() != e.selfID || !bytes.Equal(m.GetSnapshot().GetData(), data) ||
		meta.GetIndex() == 0 || meta.GetTerm() == 0 || checkConfState(meta.GetConfState()) != nil || e.node.Step(m) != nil {
		e.out.u32(1)
		return nil
	}
	e.out.u32(0)
	return nil
}

// propose reads a list of payloads, appended as one proposal: all of them or none.
func (e *engine) propose(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	batch := reader{rest: append([]byte(nil), in.rest...)} // one allocation for the batch; the entries alias it
	var entries []*pb.Entry
	for batch.bad == "" && len(batch.rest) > 0 {
		entries = append(entries, &pb.Entry{Data: batch.bytes()})
	}
	if err := batch.end(); err != nil {
		return err
	}
	if len(entries) == 0 {
		return malformed("no proposal in the list")
	}
	return e.node.Step(&pb.Message{Type: pb.MsgProp.Enum(), From: new(e.selfID), Entries: entries})
}

// proposeConfChange reads transition u8, changes (u32 count; each type u8, id u64), u32 length and context.
// A change that could not be applied to the present configuration is refused here, because every member
// would stop on it once it is committed.
func (e *engine) proposeConfChange(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	cc := &pb.ConfChangeV2{Transition: pb.ConfChangeTransition(in.u8()).Enum()}
	for n := in.count(9); n > 0; n-- {
		cc.Changes = append(cc.Changes, &pb.ConfChangeSingle{
			Type: pb.ConfChangeType(in.u8()).Enum(), NodeId: new(in.u64()),
		})
	}
	cc.Context = append([]byte(nil), in.bytes()...)
	if err := in.end(); err != nil {
		return err
	}
	if err := e.checkConfChange(cc); err != nil {
		return err
	}
	return e.node.ProposeConfChange(cc)
}

func (e *engine) checkConfChange(cc *pb.ConfChangeV2) error {
	if cc.GetTransition() < 0 || cc.GetTransition() > pb.ConfChangeTransitionJointExplicit {
		return malformed("unknown transition %d", cc.GetTransition())
	}
	for _, change := range cc.GetChanges() {
		if change.GetType() < 0 || change.GetType() > pb.ConfChangeAddLearnerNode || change.GetNodeId() == 0 || change.GetNodeId() > maxSafeID {
			return malformed("change of type %d for member %d", change.GetType(), change.GetNodeId())
		}
	}
	present := tracker.ProgressTracker{Config: e.node.Status().Config}
	changer, err := restored(present.ConfState())
	if err != nil {
		return err
	}
	if cc.LeaveJoint() {
		_, _, err = changer.LeaveJoint()
	} else if autoLeave, joint := cc.EnterJoint(); joint {
		_, _, err = changer.EnterJoint(autoLeave, cc.GetChanges()...)
	} else {
		_, _, err = changer.Simple(cc.GetChanges()...)
	}
	return err
}

// applyConfChange reads the type u8 (1 or 2) and the data of a committed entry. out: ConfState.
func (e *engine) applyConfChange(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	kind, data := pb.EntryType(in.u8()), in.rest
	if in.bad != "" {
		return malformed("%s", in.bad)
	}
	var change pb.ConfChangeI
	switch kind {
	case pb.EntryConfChange:
		cc := new(pb.ConfChange)
		if err := proto.Unmarshal(data, cc); err != nil {
			return malformed("raftpb.ConfChange: %v", err)
		}
		change = cc
	case pb.EntryConfChangeV2:
		cc := new(pb.ConfChangeV2)
		if err := proto.Unmarshal(data, cc); err != nil {
			return malformed("raftpb.ConfChangeV2: %v", err)
		}
		change = cc
	default:
		return malformed("entry type %d is no configuration change", kind)
	}
	e.out.confState(e.node.ApplyConfChange(change))
	return nil
}

// readIndex asks for a linearisable read; the whole frame is its context, which comes back in a read state.
func (e *engine) readIndex(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	if len(in.rest) == 0 {
		return malformed("a read needs a context")
	}
	e.node.ReadIndex(append([]byte(nil), in.rest...))
	return nil
}

func (e *engine) campaign() error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	return e.node.Campaign()
}

func (e *engine) transferLeader(id uint64) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	e.node.TransferLeader(id)
	return nil
}

func (e *engine) reportUnreachable(id uint64) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	e.node.ReportUnreachable(id)
	return nil
}

func (e *engine) reportSnapshot(id uint64, delivered bool) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	status := raft.SnapshotFailure
	if delivered {
		status = raft.SnapshotFinish
	}
	e.node.ReportSnapshot(id, status)
	return nil
}
