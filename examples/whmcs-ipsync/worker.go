package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/solusvm2"
)

const (
	atOnce       = 4 // servers
	firstPause   = time.Second
	longestPause = time.Minute
	sweepEvery   = time.Second
)

// worker looks at the servers for which notifications wait, each alone, several at once, and a server that fails again later. A look serves every notification
// that had arrived before it began.
type worker struct {
	inbox *inbox
	sync  syncFunc
	log   *slog.Logger
	// again is how long after a notification was served its server is looked at once more: whether the panel calls before or after its change is not
	// documented. 0 is never.
	again time.Duration
	wake  chan struct{}
	// looked is told each look, for programs that wait. It may be nil.
	looked func(solusvm2.ServerID, outcome, error)

	mu      sync.Mutex
	jobs    map[solusvm2.ServerID]*job
	running int
}

// syncFunc is syncer.sync.
type syncFunc func(ctx context.Context, id solusvm2.ServerID, uuids []string) (outcome, error)

// job is a server to look at.
type job struct {
	due      time.Time
	waiting  int // notifications, when the inbox was last read
	running  bool
	failures int // in a row
}

func newWorker(in *inbox, s *syncer, log *slog.Logger) *worker {
	return &worker{inbox: in, sync: s.sync, log: log, again: 30 * time.Second, wake: make(chan struct{}, 1), jobs: map[solusvm2.ServerID]*job{}}
}

// nudge lets the worker look into the inbox now.
func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it is going to
	}
}

// ask lets the worker look at servers without a notification. That is not stored.
func (w *worker) ask(ids ...solusvm2.ServerID) {
	w.mu.Lock()
	for _, id := range ids {
		w.expect(id)
	}
	w.mu.Unlock()
	w.nudge()
}

// expect makes a server one to look at. The worker is locked.
func (w *worker) expect(id solusvm2.ServerID) {
	if w.jobs[id] == nil {
		w.jobs[id] = &job{}
	}
}

// run works until ctx ends, and returns when nothing runs any more.
func (w *worker) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		for _, id := range w.next() {
			running.Go(func() { w.look(ctx, id) })
		}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-tick.C:
		}
	}
}

// next picks the servers to look at now: those with notifications before the others.
func (w *worker) next() []solusvm2.ServerID {
	counts, err := w.inbox.servers()
	if err != nil {
		w.log.Error("the inbox cannot be read", "error", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for id := range counts {
		w.expect(id)
	}
	var due, later []solusvm2.ServerID
	for _, id := range slices.Sorted(maps.Keys(w.jobs)) {
		j := w.jobs[id]
		if counts[id] > j.waiting {
			j.due = now // there is a new one
		}
		j.waiting = counts[id]
		switch {
		case j.running || j.due.After(now):
		case j.waiting > 0:
			due = append(due, id)
		default:
			later = append(later, id)
		}
	}
	due = append(due, later...)
	due = due[:min(len(due), atOnce-w.running)]
	for _, id := range due {
		w.jobs[id].running = true
	}
	w.running += len(due)
	return due
}

// look looks at one server, and stores what came of it.
func (w *worker) look(ctx context.Context, id solusvm2.ServerID) {
	defer w.nudge()
	notices, err := w.inbox.load(id)
	var o outcome
	if err == nil {
		o, err = w.sync(ctx, id, uuidsOf(notices))
	}
	if ctx.Err() != nil {
		return // what waits goes on waiting
	}
	_, final := errors.AsType[lastingError](err)
	switch {
	case final:
		if kept := w.inbox.fail(id, notices, err); kept != nil {
			err, final = errors.Join(err, kept), false
		}
	case err == nil:
		err = w.inbox.done(id, notices)
		final = err == nil
	}
	pause := w.settle(id, len(notices), err, final)
	w.report(w.log.With("server", id, "service", o.Service, "notifications", len(notices)), o, err, final, pause)
	if w.looked != nil {
		w.looked(id, o, err)
	}
}

func uuidsOf(notices []notice) []string {
	var uuids []string
	for _, n := range notices {
		uuids = append(uuids, n.Event.ServerUUID)
	}
	return uuids
}

// settle says when a server is looked at next, and returns the pause after a failure that passes.
func (w *worker) settle(id solusvm2.ServerID, served int, err error, final bool) (pause time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	if !final {
		j := w.jobs[id]
		j.running = false
		if j.waiting > served {
			j.due = time.Now() // for those that came during the look
			return 0
		}
		pause = min(firstPause<<min(j.failures, 10), longestPause)
		pause -= rand.N(pause / 5) // #nosec G404 -- so that many servers do not come back at once
		j.failures++
		j.due = time.Now().Add(pause)
		return pause
	}
	delete(w.jobs, id)
	if err == nil && served > 0 && w.again > 0 {
		w.jobs[id] = &job{due: time.Now().Add(w.again)}
	}
	return 0
}

func (*worker) report(log *slog.Logger, o outcome, err error, final bool, pause time.Duration) {
	switch {
	case err != nil && final:
		log.Error("waits for a person", "error", err)
	case errors.Is(err, errBusy):
		log.Debug("looks again", "error", err, "in", pause)
	case err != nil:
		log.Warn("looks again", "error", err, "in", pause.Round(time.Millisecond))
	case o.Note != "":
		log.Info("nothing to do", "because", o.Note)
	case o.changed():
		log.Info("changed", "dedicatedip", o.After.Dedicated, "assignedips", o.After.Assigned,
			"dedicatedip_before", o.Before.Dedicated, "assignedips_before", o.Before.Assigned)
	default:
		log.Debug("is as it should be")
	}
}
