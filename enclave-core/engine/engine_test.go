package main

import (
	"bytes"
	"errors"
	"math/rand"
	"testing"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

func quiet(uint32, string) {}

func frame(build func(w *writer)) *reader {
	var w writer
	build(&w)
	return &reader{rest: w.buf}
}

func bootstrap(voters ...uint64) func(w *writer) {
	return func(w *writer) {
		w.u64(1)
		w.u64(1)
		w.confState(&pb.ConfState{Voters: voters})
		w.bytes([]byte("digest"))
	}
}

func settings(id uint64) func(w *writer) {
	return settingsWith(id, flagPreVote|flagCheckQuorum|flagStepDownOnRemoval)
}

func settingsWith(id uint64, flags uint32) func(w *writer) {
	return func(w *writer) {
		w.u64(id)
		w.u32(10)
		w.u32(1)
		w.u32(flags)
		w.u32(256)
		for _, v := range []uint64{1 << 20, 0, 0, 0, 1} {
			w.u64(v)
		}
		w.u32(levelFatal)
	}
}

func created(t *testing.T, id uint64, voters ...uint64) *engine {
	t.Helper()
	return createdWith(t, settings(id), voters...)
}

func createdWith(t *testing.T, settings func(w *writer), voters ...uint64) *engine {
	t.Helper()
	e := newEngine(quiet)
	if err := e.loadSnapshot(frame(bootstrap(voters...))); err != nil {
		t.Fatal(err)
	}
	if err := e.create(frame(settings)); err != nil {
		t.Fatal(err)
	}
	return e
}

// settle acknowledges everything that is pending until nothing is ready.
func settle(t *testing.T, e *engine) {
	t.Helper()
	for range 1000 {
		e.out.reset()
		if err := e.ready(); err != nil {
			t.Fatal(err)
		}
		if len(e.out.buf) == 0 {
			return
		}
		if n := len(e.appends); n > 0 {
			if err := e.appendDone(uint32(n)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(e.applies); n > 0 {
			if err := e.applyDone(uint32(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatal("never settles")
}

func leader(t *testing.T) *engine {
	t.Helper()
	e := created(t, 1, 1)
	if err := e.campaign(); err != nil {
		t.Fatal(err)
	}
	settle(t, e)
	if e.node.BasicStatus().RaftState != raft.StateLeader {
		t.Fatal("a sole voter leads after it campaigned")
	}
	return e
}

func TestSoleVoterCommits(t *testing.T) {
	e := leader(t)
	before := e.node.BasicStatus().Applied
	if err := e.propose(frame(func(w *writer) { w.bytes([]byte("a")); w.bytes([]byte("b")) })); err != nil {
		t.Fatal(err)
	}
	settle(t, e)
	if applied := e.node.BasicStatus().Applied; applied != before+2 {
		t.Fatalf("applied %d after %d", applied, before)
	}
}

// With pre-vote off one campaign is enough. The requests leave with the acknowledgement of the append that holds the vote.
func TestVotesAreAskedForOnceTheOwnVoteIsDurable(t *testing.T) {
	e := createdWith(t, settingsWith(1, flagCheckQuorum), 1, 2, 3)
	if err := e.campaign(); err != nil {
		t.Fatal(err)
	}
	e.out.reset()
	if err := e.ready(); err != nil {
		t.Fatal(err)
	}
	hard := hardStateOf(e.appends[0])
	if hard.GetVote() != 1 || hard.GetTerm() != 1 {
		t.Fatalf("the append carries %v", hard)
	}
	asked := []byte{0x08, byte(pb.MsgVote), 0x10} // type and the field after it, as a raftpb.Message begins
	if bytes.Contains(e.out.buf, asked) {
		t.Fatal("votes are asked for before the own vote is durable")
	}
	e.out.reset()
	if err := e.appendDone(1); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(e.out.buf, asked); n != 2 {
		t.Fatalf("%d of 2 voters are asked once it is", n)
	}
}

func TestAcknowledgementsOutOfOrderAreRefused(t *testing.T) {
	e := leader(t)
	for _, call := range []func() error{
		func() error { return e.appendDone(1) }, func() error { return e.appendDone(0) },
		func() error { return e.applyDone(1) }, func() error { return e.applyDone(1 << 31) },
		func() error { return e.loadSnapshot(frame(bootstrap(1))) }, func() error { return e.create(frame(settings(1))) },
		func() error { return newEngine(quiet).tick(1) }, func() error { return newEngine(quiet).ready() },
	} {
		if err := call(); !errors.Is(err, errOutOfOrder) {
			t.Fatalf("want out of order, got %v", err)
		}
	}
}

// Every prefix of a good frame, and random bytes, give an error code; nothing panics.
func TestShortAndRandomFramesAreRefused(t *testing.T) {
	message, err := proto.Marshal(&pb.Message{Type: pb.MsgHeartbeat.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(uint64(1))})
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]func(w *writer){
		"loadSnapshot":  bootstrap(1, 2, 3),
		"loadHardState": func(w *writer) { w.u64(1); w.u64(0); w.u64(1) },
		"loadEntries": func(w *writer) {
			w.entries([]*pb.Entry{{Term: new(uint64(1)), Index: new(uint64(2)), Data: []byte("x")}})
		},
		"create":  settings(1),
		"step":    func(w *writer) { w.u64(2); w.bytes(message) },
		"propose": func(w *writer) { w.bytes([]byte("x")) },
		"proposeConfChange": func(w *writer) {
			w.u8(0)
			w.u32(1)
			w.u8(byte(pb.ConfChangeAddLearnerNode))
			w.u64(9)
			w.bytes(nil)
		},
		"createSnapshot": func(w *writer) { w.u64(2); w.confState(&pb.ConfState{Voters: []uint64{1}}); w.bytes(nil) },
	}
	calls := func(e *engine) map[string]func(*reader) error {
		return map[string]func(*reader) error{
			"loadSnapshot": e.loadSnapshot, "loadHardState": e.loadHardState, "loadEntries": e.loadEntries, "create": e.create,
			"step": e.step, "propose": e.propose, "proposeConfChange": e.proposeConfChange, "createSnapshot": e.createSnapshot,
		}
	}
	fresh := func(name string) *engine {
		switch name {
		case "loadSnapshot", "loadHardState", "loadEntries", "create":
			return newEngine(quiet)
		}
		return leader(t)
	}
	random := rand.New(rand.NewSource(1))
	for name, build := range good {
		whole := frame(build).rest
		e := fresh(name)
		for n := 0; n < len(whole); n++ {
			if name == "step" && n == 8 { // a sender and no message
				continue
			}
			if err := calls(e)[name](&reader{rest: whole[:n:n]}); !errors.Is(err, errMalformed) {
				t.Fatalf("%s with %d of %d bytes: %v", name, n, len(whole), err)
			}
		}
		if err := calls(e)[name](&reader{rest: append(whole[:len(whole):len(whole)], 1)}); err == nil {
			t.Fatalf("%s takes trailing bytes", name)
		}
		e = fresh(name)
		for range 2000 {
			b := append([]byte(nil), whole...)
			for range 1 + random.Intn(4) {
				b[random.Intn(len(b))] = byte(random.Intn(256))
			}
			if calls(e)[name](&reader{rest: b}) == nil {
				e = fresh(name)
			}
		}
	}
}

func TestForeignAndLocalMessagesAreRefused(t *testing.T) {
	for name, m := range map[string]*pb.Message{
		"another sender":   {Type: pb.MsgHeartbeat.Enum(), From: new(uint64(3)), To: new(uint64(1))},
		"another receiver": {Type: pb.MsgHeartbeat.Enum(), From: new(uint64(2)), To: new(uint64(2))},
		"local":            {Type: pb.MsgHup.Enum(), From: new(uint64(2)), To: new(uint64(1))},
		"forwarded":        {Type: pb.MsgProp.Enum(), From: new(uint64(2)), To: new(uint64(1)), Entries: []*pb.Entry{{Data: []byte("x")}}},
		"gap":              {Type: pb.MsgApp.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(uint64(2)), Index: new(uint64(1)), LogTerm: new(uint64(1)), Entries: []*pb.Entry{{Index: new(uint64(5)), Term: new(uint64(2))}}},
		"snapshot alone":   {Type: pb.MsgSnap.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(uint64(2))},
	} {
		e := created(t, 1, 1, 2, 3)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.step(frame(func(w *writer) { w.u64(2); w.bytes(b) })); err != nil {
			t.Fatal(err)
		}
		if refused := le.Uint32(e.out.buf); refused != 1 {
			t.Fatalf("%s: %d refused", name, refused)
		}
	}
}

func TestConfChangeThatWouldStopEveryMemberIsRefused(t *testing.T) {
	e := leader(t)
	removeLastVoter := func(w *writer) {
		w.u8(0)
		w.u32(1)
		w.u8(byte(pb.ConfChangeRemoveNode))
		w.u64(1)
		w.bytes(nil)
	}
	if err := e.proposeConfChange(frame(removeLastVoter)); err == nil {
		t.Fatal("the last voter can be removed")
	}
}

func TestCompactNeedsASnapshot(t *testing.T) {
	e := leader(t)
	if err := e.compact(2); !errors.Is(err, errOutOfOrder) {
		t.Fatal(err)
	}
	if err := e.createSnapshot(frame(func(w *writer) { w.u64(2); w.confState(&pb.ConfState{Voters: []uint64{1}}); w.bytes(nil) })); err != nil {
		t.Fatal(err)
	}
	if err := e.compact(2); err != nil {
		t.Fatal(err)
	}
	if err := e.compact(2); !errors.Is(err, raft.ErrCompacted) {
		t.Fatal(err)
	}
	if err := e.compact(1 << 40); !errors.Is(err, raft.ErrUnavailable) {
		t.Fatal(err)
	}
}

func TestSnapshotIsTakenOnlyWithItsContent(t *testing.T) {
	meta := &pb.SnapshotMetadata{Index: new(uint64(50)), Term: new(uint64(2)), ConfState: &pb.ConfState{Voters: []uint64{1, 2, 3}}}
	m := &pb.Message{Type: pb.MsgSnap.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(uint64(2)), Snapshot: &pb.Snapshot{Data: []byte("digest"), Metadata: meta}}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from    uint64
		data    string
		refused uint32
	}{{2, "other", 1}, {3, "digest", 1}, {2, "digest", 0}} {
		e := created(t, 1, 1, 2, 3)
		if err := e.stepSnapshot(frame(func(w *writer) { w.u64(c.from); w.bytes([]byte(c.data)); w.bytes(b) })); err != nil {
			t.Fatal(err)
		}
		if refused := le.Uint32(e.out.buf); refused != c.refused {
			t.Fatalf("%v: %d refused", c, refused)
		}
	}
}
