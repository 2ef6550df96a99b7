package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// intents is the engine's table of intents, as one step uses it. A lock is a row with a lease, which is renewed with the leases of steps and ends with its
// process. Save is fenced: it succeeds only while the row of the scope still has this holder's token, so that a process that was stopped for longer than its
// lease cannot write over its successor.
type intents struct {
	e      *Engine
	tokens map[string]string // by scope, while this step has it locked
	locked func(scope string)
	// size is what a create that is planned now asks for. It is stored with the plan: the service may have changed by the time the server is found.
	size size
	// noCreate refuses whatever would let a new request be sent: only what was sent before is settled.
	noCreate bool
}

var _ provisioning.Intents = (*intents)(nil)

var (
	// errBusy means that another step has the scope locked. A worker does not wait for it: the row is due again when the scope is free.
	errBusy = errors.New("another order of the same owner is just being created")
	// errNoCreate is what a Save returns with noCreate.
	errNoCreate = errors.New("nothing new is created for a service that is to be absent")
)

func (s *step) intents() *intents {
	return &intents{e: s.e, tokens: map[string]string{}, locked: func(scope string) { s.scope = scope }, size: sizeOf(s.svc.Spec)}
}

// Lock implements provisioning.Intents. It does not wait.
func (i *intents) Lock(ctx context.Context, scope string) (unlock func(), err error) {
	token := i.e.process + ":" + strconv.FormatInt(i.e.sequence.Add(1), 10)
	n, err := i.e.db.pool().exec(ctx, `INSERT INTO hvpanels_scope(scope, owner, claimed_at, lease_until) VALUES ($1, $2, {now}, {now}+$3)
		ON CONFLICT (scope) DO UPDATE SET owner=excluded.owner, claimed_at=excluded.claimed_at, lease_until=excluded.lease_until
		WHERE hvpanels_scope.owner IS NULL OR hvpanels_scope.lease_until<{now}`, scope, token, i.e.config.Timings.Lease.Milliseconds())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		i.locked(scope)
		return nil, errBusy
	}
	i.tokens[scope] = token
	return func() { i.unlock(ctx, scope, token) }, nil
}

func (i *intents) unlock(ctx context.Context, scope, token string) {
	delete(i.tokens, scope)
	ctx, cancel := storing(ctx)
	defer cancel()
	// If this fails the lease ends by itself.
	_ = i.e.db.tx(ctx, func(t txn) error {
		n, err := t.exec(ctx, `UPDATE hvpanels_scope SET owner=NULL, lease_until=NULL, claimed_at=NULL WHERE scope=$1 AND owner=$2`, scope, token)
		if err != nil || n == 0 {
			return err
		}
		return i.e.wakeWaiting(ctx, t, scope)
	})
}

// wakeWaiting wakes the row that has waited longest for the scope.
func (e *Engine) wakeWaiting(ctx context.Context, t txn, scope string) error {
	var id string
	ok, err := t.one(ctx, `UPDATE hvpanels_target SET waits_for='' WHERE id IN (SELECT id FROM hvpanels_target
		WHERE waits_for=$1 AND lease_until IS NULL ORDER BY due_at LIMIT 1 {skiplocked}) RETURNING id`, []any{scope}, &id)
	if err != nil || !ok {
		return err
	}
	return e.nudge(ctx, t, []string{id})
}

// Load implements provisioning.Intents.
func (i *intents) Load(ctx context.Context, key string) (provisioning.Intent, error) {
	in, ok, err := loadIntent(ctx, i.e.db.pool(), key, false)
	if err != nil {
		return provisioning.Intent{}, err
	}
	if !ok {
		return provisioning.Intent{}, &provisioning.Error{Kind: provisioning.NotFound, Op: "Load", Message: "no intent is stored for key " + key}
	}
	return in, nil
}

func loadIntent(ctx context.Context, c conn, key string, lock bool) (in provisioning.Intent, ok bool, err error) {
	query := `SELECT body FROM hvpanels_intent WHERE key=$1`
	if lock {
		query += ` {forupdate}`
	}
	err = c.each(ctx, query, []any{key}, func(scan func(...any) error) error {
		ok = true
		in, err = scanIntent(scan)
		return err
	})
	return in, ok && err == nil, err
}

// scanIntent reads the body of an intent.
func scanIntent(scan func(...any) error) (in provisioning.Intent, err error) {
	var text string
	if err := scan(&text); err != nil {
		return in, err
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return in, fmt.Errorf("engine: stored intent: %w", err)
	}
	return in, nil
}

// Save implements provisioning.Intents.
func (i *intents) Save(ctx context.Context, in provisioning.Intent) error {
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("engine: intent of %s: %w", in.Key, err)
	}
	ctx, cancel := storing(ctx)
	defer cancel()
	return i.e.db.tx(ctx, func(t txn) error {
		if err := i.fence(ctx, t.conn, in.Scope); err != nil {
			return err
		}
		old, known, err := loadIntent(ctx, t.conn, in.Key, true)
		if err != nil {
			return err
		}
		if known {
			if err := in.MayReplace(old); err != nil {
				return err
			}
		}
		if i.noCreate && (unresolved(in) && !in.SendBefore.Equal(old.SendBefore) || !in.BuildBefore.IsZero() && !in.BuildBefore.Equal(old.BuildBefore)) {
			return errNoCreate
		}
		planned := !known || !in.SendBefore.Equal(old.SendBefore)
		return i.store(ctx, t.conn, in, string(text), known, planned)
	})
}

func (i *intents) store(ctx context.Context, c conn, in provisioning.Intent, text string, known, planned bool) error {
	query := `INSERT INTO hvpanels_intent(key, scope, unresolved, body, size) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING`
	if known {
		query = `UPDATE hvpanels_intent SET scope=$2, unresolved=$3, body=$4, size=CASE WHEN $6=1 THEN $5 ELSE size END WHERE key=$1`
	}
	asked, err := json.Marshal(i.size)
	if err != nil {
		return fmt.Errorf("engine: size of %s: %w", in.Key, err)
	}
	args := []any{in.Key, in.Scope, flag(unresolved(in)), text, string(asked)}
	if known {
		args = append(args, flag(planned))
	}
	n, err := c.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("engine: the intent of %s was stored by another process at the same moment", in.Key)
	}
	return err
}

// plannedSize is what the last create of the key asked for.
func plannedSize(ctx context.Context, c conn, key string) (s size, err error) {
	var text string
	ok, err := c.one(ctx, `SELECT size FROM hvpanels_intent WHERE key=$1`, []any{key}, &text)
	if err != nil || !ok {
		return s, err
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("engine: stored size of %s: %w", key, err)
	}
	return s, nil
}

// unresolved reports a create that may have been sent and whose server is not known.
func unresolved(in provisioning.Intent) bool { return in.ID == "" && !in.Closed && !in.Retired }

// fence fails unless this holder still has the scope.
func (i *intents) fence(ctx context.Context, c conn, scope string) error {
	token, locked := i.tokens[scope]
	if !locked {
		return fmt.Errorf("engine: Save without the lock of %q", scope)
	}
	var one int64
	ok, err := c.one(ctx, `SELECT 1 FROM hvpanels_scope WHERE scope=$1 AND owner=$2 {forupdate}`, []any{scope, token}, &one)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("engine: the lock of %q was lost: %w", scope, errFenced)
	}
	return nil
}

// Open implements provisioning.Intents.
func (i *intents) Open(ctx context.Context, scope string) ([]provisioning.Intent, error) {
	var open []provisioning.Intent
	err := i.e.db.pool().each(ctx, `SELECT body FROM hvpanels_intent WHERE scope=$1 AND unresolved=1 ORDER BY key`, []any{scope}, func(scan func(...any) error) error {
		in, err := scanIntent(scan)
		open = append(open, in)
		return err
	})
	return open, err
}

// settled says when it is certain that a request that could be sent until before has been carried out, or never will be.
func (e *Engine) settled(before time.Time) time.Time { return before.Add(e.config.Create.Settle) }
