package main

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"
)

// createSnapshot reads index u64, ConfState, u32 length and data, and makes it the snapshot that members
// too far behind are sent. out: term u64 of that index.
func (e *engine) createSnapshot(in *reader) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	index, cs := in.u64(), in.confState()
	data := append([]byte(nil), in.bytes()...)
	if err := in.end(); err != nil {
		return err
	}
	if err := checkConfState(cs); err != nil {
		return err
	}
	if err := e.checkCached(index); err != nil {
		return err
	}
	snapshot, err := e.storage.CreateSnapshot(index, cs, data)
	if err != nil {
		return err
	}
	e.out.u64(snapshot.GetMetadata().GetTerm())
	return nil
}

// compact drops cached entries up to and including `index`, which a snapshot must cover.
func (e *engine) compact(index uint64) error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	if err := e.checkCached(index); err != nil {
		return err
	}
	snapshot, err := e.storage.Snapshot()
	if err != nil {
		return err
	}
	if index > snapshot.GetMetadata().GetIndex() {
		return outOfOrder("compact %d without a snapshot beyond %d", index, snapshot.GetMetadata().GetIndex())
	}
	return e.storage.Compact(index)
}

// checkCached refuses an index that is compacted or not applied yet.
func (e *engine) checkCached(index uint64) error {
	first, err := e.storage.FirstIndex()
	if err != nil {
		return err
	}
	if index < first {
		return raft.ErrCompacted
	}
	if applied := e.node.BasicStatus().Applied; index > applied {
		return raft.ErrUnavailable
	}
	return nil
}

// status. out: id, term, vote, commit, applied, leader, leadership transferee, first index, last index (u64 each), role u8.
func (e *engine) status() error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	s := e.node.BasicStatus()
	first, err := e.storage.FirstIndex()
	if err != nil {
		return err
	}
	last, err := e.storage.LastIndex()
	if err != nil {
		return err
	}
	for _, v := range [...]uint64{s.ID, s.GetTerm(), s.GetVote(), s.GetCommit(), s.Applied, s.Lead, s.LeadTransferee, first, last} {
		e.out.u64(v)
	}
	e.out.u8(byte(s.RaftState))
	return nil
}

// progress, known to a leader only. out: u32 count of members, each id, match, next (u64 each),
// state u8 (0 probe, 1 replicate, 2 snapshot), recently active u8, learner u8.
func (e *engine) progress() error {
	if err := e.mustBeCreated(); err != nil {
		return err
	}
	status := e.node.Status()
	e.out.u32(uint32(len(status.Progress)))
	ids := tracker.ProgressTracker{Config: status.Config}
	for _, id := range append(ids.VoterNodes(), ids.LearnerNodes()...) {
		p, known := status.Progress[id]
		if !known {
			continue
		}
		e.out.u64(id)
		e.out.u64(p.Match)
		e.out.u64(p.Next)
		e.out.u8(byte(p.State))
		e.out.flag(p.RecentActive)
		e.out.flag(p.IsLearner)
	}
	return nil
}
