package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Apply stores what a service should be and returns; the engine does the rest, in this process or another one. No panel is asked, so a panel that is down is
// no error. The same Key again is an update; a Service that changes nothing does nothing.
//
// Errors: Invalid for a bad Service; Conflict when the Key was absent or forgotten before, or belongs to another provider or owner; NotFound for an unknown
// Key without a Spec; the database's own.
func (e *Engine) Apply(ctx context.Context, s Service) error {
	return e.db.tx(ctx, func(t txn) error {
		ids, err := e.apply(ctx, t.conn, s)
		if err != nil {
			return err
		}
		return e.nudge(ctx, t, ids)
	})
}

// ApplyTx is Apply inside a transaction of the caller's on the same database: when it commits, the service is stored with everything else in it, and when it
// is rolled back, nothing is. It is plain SQL; a running engine finds it within Timings.Sweep.
func (e *Engine) ApplyTx(ctx context.Context, tx Tx, s Service) error {
	c := conn{tx, e.db.pool().d}
	ids, err := e.apply(ctx, c, s)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := bump(ctx, c, id, 0); err != nil {
			return err
		}
	}
	return nil
}

// apply stores the service and returns the rows that have to be looked at.
func (e *Engine) apply(ctx context.Context, c conn, s Service) ([]string, error) {
	if err := checkKey(s.Key); err != nil {
		return nil, err
	}
	if s.Spec.Key != "" && s.Spec.Key != s.Key {
		return nil, provisioning.InvalidField("spec.key", "must be the key of the service, or empty")
	}
	s.Registrars = slices.Clone(s.Registrars)
	slices.Sort(s.Registrars)
	old, known, err := loadService(ctx, c, s.Key, true)
	if err != nil {
		return nil, err
	}
	if known {
		return e.update(ctx, c, old, s)
	}
	ids, err := e.insert(ctx, c, s)
	if !errors.Is(err, errFaster) {
		return ids, err
	}
	if old, known, err = loadService(ctx, c, s.Key, true); err != nil || !known {
		return nil, errors.Join(errFaster, err)
	}
	return e.update(ctx, c, old, s)
}

var errFaster = &provisioning.Error{Op: "Apply", Kind: provisioning.Conflict, Message: "another process has just stored a service of this key"}

func (e *Engine) insert(ctx context.Context, c conn, s Service) ([]string, error) {
	if s.Provider == "" {
		return nil, &provisioning.Error{Op: "Apply", Kind: provisioning.NotFound, Message: "there is no service " + s.Key + ", and no provider to make one"}
	}
	s.Spec.Key = s.Key
	if s.Desired == "" {
		s.Desired = Present
	}
	if err := s.check(e.panels, nil); err != nil {
		return nil, err
	}
	text, err := s.encode()
	if err != nil {
		return nil, err
	}
	n, err := c.exec(ctx, `INSERT INTO hvpanels_service(key, provider, desired, body, generation, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, {now}, {now})
		ON CONFLICT (key) DO NOTHING`, s.Key, s.Provider, string(s.Desired), text)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errFaster
	}
	ids, err := e.addTargets(ctx, c, s)
	if err != nil {
		return nil, err
	}
	return ids[:1], nil // registrars are woken when there is a server
}

func (e *Engine) update(ctx context.Context, c conn, old stored, s Service) ([]string, error) {
	asked := s.Desired
	s = s.merge(old.Service)
	s.Spec.Key = s.Key
	if err := s.check(e.panels, old.Registrars); err != nil {
		return nil, err
	}
	if err := s.mayReplace(old, asked); err != nil {
		return nil, err
	}
	text, err := s.encode()
	if err != nil {
		return nil, err
	}
	before, err := old.encode()
	if err != nil {
		return nil, err
	}
	if text == before && s.Desired == old.Desired {
		return nil, nil // a hint to look is Notify
	}
	_, err = c.exec(ctx, `UPDATE hvpanels_service SET desired=$2, body=$3, generation=generation+1, updated_at={now} WHERE key=$1`, s.Key, string(s.Desired), text)
	if err != nil {
		return nil, err
	}
	return e.addTargets(ctx, c, s)
}

// addTargets makes the rows that are missing, and returns all rows of the service that are followed, the provider's first.
func (e *Engine) addTargets(ctx context.Context, c conn, s Service) ([]string, error) {
	var ids []string
	for _, name := range append([]string{s.Provider}, s.Registrars...) {
		kind, message := kindRegistrar, waitingForServer
		if name == s.Provider {
			kind, message = kindProvider, ""
		}
		_, err := c.exec(ctx, `INSERT INTO hvpanels_target(id, key, panel, kind, gen, done_gen, state, message, due_at, changed_at)
			VALUES ($1, $2, $3, $4, 0, 0, $5, $6, NULL, {now})
			ON CONFLICT (id) DO NOTHING`, targetID(s.Key, name), s.Key, name, kind, string(Waiting), message)
		if err != nil {
			return nil, err
		}
		ids = append(ids, targetID(s.Key, name))
	}
	return ids, nil
}

// loadService reads a service; lock keeps others from changing it until the transaction ends.
func loadService(ctx context.Context, c conn, key string, lock bool) (s stored, ok bool, err error) {
	query := `SELECT provider, desired, body, generation, forgotten FROM hvpanels_service WHERE key=$1`
	if lock {
		query += ` {forupdate}`
	}
	var text string
	var forgotten int64
	ok, err = c.one(ctx, query, []any{key}, &s.Provider, &s.Desired, &text, &s.generation, &forgotten)
	if err != nil || !ok {
		return stored{}, false, err
	}
	s.Key, s.forgotten = key, forgotten != 0
	return s, true, s.decode(text)
}

// bump marks a row as changed and due after delay milliseconds at most. busy means that a process holds it and will see the change; otherwise queued says how
// many wake-ups were sent since somebody last looked, this one included.
func bump(ctx context.Context, c conn, id string, delay int64) (w bumped, err error) {
	var busy int64
	_, err = c.one(ctx, `UPDATE hvpanels_target SET gen=gen+1, pending_since=coalesce(pending_since, {now}),
		due_at=CASE WHEN due_at<{now}+$2 THEN due_at ELSE {now}+$2 END,
		queued=CASE WHEN lease_until>={now} THEN queued ELSE queued+1 END
		WHERE id=$1 RETURNING panel, queued, CASE WHEN lease_until>={now} THEN 1 ELSE 0 END`, []any{id, delay}, &w.panel, &w.queued, &busy)
	w.busy = busy != 0
	return w, err
}

type bumped struct {
	panel  string
	queued int64
	busy   bool
}

// nudge marks rows as changed and wakes a worker for each, unless one is on its way or holds the row. If the wake-up is lost, the row is due when the
// watchdog ends.
func (e *Engine) nudge(ctx context.Context, t txn, ids []string) error {
	var jobs []wakeUp
	for _, id := range ids {
		w, err := bump(ctx, t.conn, id, e.config.Timings.Watchdog.Milliseconds())
		if err != nil {
			return err
		}
		if !w.busy && w.queued == 1 {
			jobs = append(jobs, wakeUp{ID: id, panel: w.panel})
		}
	}
	return t.wake(ctx, jobs)
}
