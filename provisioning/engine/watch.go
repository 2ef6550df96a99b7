package engine

import (
	"context"
	"iter"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Watch yields the row of a service whenever its state, message or id has changed, in any process, until ctx ends; the end of ctx is yielded as an error. It
// begins with what has changed since then. Fast changes in between are not seen: it tells how things are, not how they came about. Looking costs one query
// every Timings.Watch.
func (e *Engine) Watch(ctx context.Context, since time.Time) iter.Seq2[TargetStatus, error] {
	// A row is stamped before its transaction commits, so a little of the past is read again each time.
	const overlap = 10 * time.Second
	return func(yield func(TargetStatus, error) bool) {
		told := map[string]string{}
		last := since
		for {
			seen := map[string]string{} // what is not read again need not be remembered
			for t, err := range e.targets(ctx, `t.changed_at>=$1 ORDER BY t.changed_at, t.id`, last.Add(-overlap).UnixMilli()) {
				if err != nil {
					yield(TargetStatus{}, err)
					return
				}
				id, now := targetID(t.Key, t.Panel), string(t.State)+"\x00"+t.Message+"\x00"+t.instance
				if t.Changed.After(last) {
					last = t.Changed
				}
				if seen[id] = now; t.Changed.Before(since) || told[id] == now {
					continue
				}
				if !yield(t.TargetStatus, nil) {
					return
				}
			}
			told = seen
			if err := pause(ctx, e.config.Timings.Watch); err != nil {
				yield(TargetStatus{}, err)
				return
			}
		}
	}
}

// WaitReady waits until the service is as desired, or ctx ends, or it needs a person: its server does, or one of its records when nothing else goes on. Then the
// error is of Kind Conflict and says why. The Status is the last one seen.
func (e *Engine) WaitReady(ctx context.Context, key string) (Status, error) {
	for {
		s, err := e.Status(ctx, key)
		if err != nil || s.AsDesired {
			return s, err
		}
		if s.stuck() {
			return s, &provisioning.Error{Op: "WaitReady", Kind: provisioning.Conflict, Message: s.Message}
		}
		if err := pause(ctx, e.config.Timings.Watch); err != nil {
			return s, err
		}
	}
}

// stuck reports that nothing goes on until a person does something.
func (s Status) stuck() bool {
	record := false
	for _, t := range s.Targets {
		if !t.State.NeedsPerson() || t.Pending {
			continue
		}
		if !t.Registrar {
			return true
		}
		record = true
	}
	return record && !s.Pending
}

// Notify is a hint that something has happened to a server, for instance from a webhook: its service is looked at now. It is a hint and nothing more: the
// truth is read from the panel. known is false when no service has that server.
func (e *Engine) Notify(ctx context.Context, provider string, id provisioning.ID) (known bool, err error) {
	err = e.db.tx(ctx, func(t txn) error {
		var ids []string
		err := t.each(ctx, `SELECT id FROM hvpanels_target WHERE panel=$1 AND instance=$2 AND kind='provider'
			AND state NOT IN ('gone', 'forgotten')`, []any{provider, string(id)},
			func(scan func(...any) error) error {
				var id string
				err := scan(&id)
				ids = append(ids, id)
				return err
			})
		if err != nil {
			return err
		}
		known = len(ids) > 0
		return e.nudge(ctx, t, ids)
	})
	return known, err
}
