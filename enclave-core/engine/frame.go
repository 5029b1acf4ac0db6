package main

import (
	"encoding/binary"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

var le = binary.LittleEndian

// reader walks an input frame. The first read beyond the end marks it short; later reads give zeros, and
// end() reports the error, so a method may read a whole frame before it checks once.
type reader struct {
	rest []byte
	bad  string
}

func (r *reader) take(n int) []byte {
	if r.bad != "" || n < 0 || n > len(r.rest) {
		if r.bad == "" {
			r.bad = "the frame is too short"
		}
		return nil
	}
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	return part
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return le.Uint64(b)
	}
	return 0
}

// bytes reads u32 length and that many bytes; they alias the input buffer.
func (r *reader) bytes() []byte { return r.take(int(r.u32())) }

// count reads how many items of at least `size` bytes follow, and refuses more than can be there.
func (r *reader) count(size int) int {
	n := int(r.u32())
	if r.bad == "" && n > len(r.rest)/size {
		r.bad = "a count is larger than the frame"
	}
	if r.bad != "" {
		return 0
	}
	return n
}

// end reports a short frame or trailing bytes.
func (r *reader) end() error {
	if r.bad == "" && len(r.rest) > 0 {
		r.bad = "bytes are left over"
	}
	if r.bad != "" {
		return malformed("%s", r.bad)
	}
	return nil
}

func (r *reader) ids() []uint64 {
	n := r.count(8)
	if n == 0 {
		return nil
	}
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = r.u64()
	}
	return ids
}

// confState: voters, learners, outgoing voters, next learners (each u32 count and u64s), autoLeave u8.
func (r *reader) confState() *pb.ConfState {
	cs := &pb.ConfState{Voters: r.ids(), Learners: r.ids(), VotersOutgoing: r.ids(), LearnersNext: r.ids()}
	cs.AutoLeave = new(r.u8() != 0)
	return cs
}

// snapshot: index u64, term u64, ConfState, u32 length and data.
func (r *reader) snapshot() *pb.Snapshot {
	meta := &pb.SnapshotMetadata{Index: new(r.u64()), Term: new(r.u64()), ConfState: r.confState()}
	return &pb.Snapshot{Metadata: meta, Data: append([]byte(nil), r.bytes()...)}
}

// entryHeader is term u64, index u64, type u8 and u32 length of the data that follows.
const entryHeader = 21

// entries: u32 count, then each entry's header and data, which is copied.
func (r *reader) entries() []*pb.Entry {
	entries := make([]*pb.Entry, r.count(entryHeader))
	for i := range entries {
		e := &pb.Entry{Term: new(r.u64()), Index: new(r.u64()), Type: pb.EntryType(r.u8()).Enum()}
		e.Data = append([]byte(nil), r.bytes()...)
		entries[i] = e
	}
	return entries
}

// writer builds an output frame in a buffer that is kept from call to call.
type writer struct{ buf []byte }

func (w *writer) grow(n int) []byte {
	l := len(w.buf)
	if cap(w.buf)-l < n {
		larger := make([]byte, l, max(2*cap(w.buf), l+n, 4096))
		copy(larger, w.buf)
		w.buf = larger
	}
	w.buf = w.buf[:l+n]
	return w.buf[l:]
}

func (w *writer) reset()       { w.buf = w.buf[:0] }
func (w *writer) u8(v byte)    { w.grow(1)[0] = v }
func (w *writer) u32(v uint32) { le.PutUint32(w.grow(4), v) }
func (w *writer) u64(v uint64) { le.PutUint64(w.grow(8), v) }

func (w *writer) flag(v bool) {
	if v {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

func (w *writer) bytes(b []byte) {
	w.u32(uint32(len(b)))
	copy(w.grow(len(b)), b)
}

func (w *writer) ids(ids []uint64) {
	w.u32(uint32(len(ids)))
	for _, id := range ids {
		w.u64(id)
	}
}

func (w *writer) confState(cs *pb.ConfState) {
	w.ids(cs.GetVoters())
	w.ids(cs.GetLearners())
	w.ids(cs.GetVotersOutgoing())
	w.ids(cs.GetLearnersNext())
	w.flag(cs.GetAutoLeave())
}

// optionalSnapshot: u8 1 and a snapshot frame, or u8 0.
func (w *writer) optionalSnapshot(s *pb.Snapshot) {
	if raft.IsEmptySnap(s) {
		w.u8(0)
		return
	}
	w.u8(1)
	w.u64(s.GetMetadata().GetIndex())
	w.u64(s.GetMetadata().GetTerm())
	w.confState(s.GetMetadata().GetConfState())
	w.bytes(s.GetData())
}

func (w *writer) entries(entries []*pb.Entry) {
	w.u32(uint32(len(entries)))
	for _, e := range entries {
		data := e.GetData()
		p := w.grow(entryHeader + len(data))
		le.PutUint64(p, e.GetTerm())
		le.PutUint64(p[8:], e.GetIndex())
		p[16] = byte(e.GetType())
		le.PutUint32(p[17:], uint32(len(data)))
		copy(p[entryHeader:], data)
	}
}

// messageHeader is to u64, type u8, the index of the snapshot that a MsgSnap carries u64 (else 0), and
// u32 length of the raftpb.Message that follows.
const messageHeader = 21

// messages: u32 count, then every message of the list that `wanted` accepts.
func (w *writer) messages(list []*pb.Message, wanted func(*pb.Message) bool) error {
	countAt, count := len(w.buf), uint32(0)
	w.u32(0)
	for _, m := range list {
		if !wanted(m) {
			continue
		}
		at := len(w.buf)
		p := w.grow(messageHeader)
		le.PutUint64(p, m.GetTo())
		p[8] = byte(m.GetType())
		le.PutUint64(p[9:], m.GetSnapshot().GetMetadata().GetIndex())
		var err error
		if w.buf, err = (proto.MarshalOptions{}).MarshalAppend(w.buf, m); err != nil {
			return err
		}
		le.PutUint32(w.buf[at+17:], uint32(len(w.buf)-at-messageHeader))
		count++
	}
	le.PutUint32(w.buf[countAt:], count)
	return nil
}
