package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

const (
	kindProvider  = "provider"
	kindRegistrar = "registrar"
)

func targetID(key, panel string) string { return key + "/" + panel }

// target is a row: one service on one panel. It is dirty while gen and doneGen differ; a dirty row is leased by a process, or has a time at which it is due.
type target struct {
	id, key, panel, kind string
	gen                  int64
	disturbed            int64  // how often a process that had lost the row sent something all the same
	late                 string // what it sent last
	state                State
	message              string
	instance             string // the panel's id of the server or record
	ledger               string // JSON, see providerLedger and recordLedger
	attempts             int64  // failures in a row
	failingSince         int64
	missingAt            int64
	instruction          string // of a person, see instruction
	token                string // names this claim
}

const targetColumns = `id, key, panel, kind, gen, disturbed, late, state, message, instance, ledger, attempts,
	coalesce(failing_since, 0), coalesce(missing_at, 0), instruction`

func (t *target) scan(scan func(...any) error) error {
	return scan(&t.id, &t.key, &t.panel, &t.kind, &t.gen, &t.disturbed, &t.late, &t.state, &t.message, &t.instance, &t.ledger, &t.attempts,
		&t.failingSince, &t.missingAt, &t.instruction)
}

// claim takes the row for this process. ok is false when there is nothing to do: the row is clean, somebody holds it, or its panel is paused and this is no probe.
func (e *Engine) claim(ctx context.Context, w wakeUp) (t *target, ok bool, err error) {
	t = &target{token: e.process + ":" + strconv.FormatInt(e.sequence.Add(1), 10)}
	probe := 0
	if w.Probe {
		probe = 1
	}
	err = e.db.pool().each(ctx, `UPDATE hvpanels_target SET owner=$2, claimed_at={now}, lease_until={now}+$3, queued=0, swept=0
		WHERE id=$1 AND gen<>done_gen AND (lease_until IS NULL OR lease_until<{now})
		AND ($4=1 OR NOT EXISTS (SELECT 1 FROM hvpanels_panel p WHERE p.name=hvpanels_target.panel AND p.paused<>''))
		RETURNING `+targetColumns, []any{w.ID, t.token, e.config.Timings.Lease.Milliseconds(), probe}, func(scan func(...any) error) error {
		ok = true
		return t.scan(scan)
	})
	return t, ok && err == nil, err
}

// save stores what the step has learned so far, or is about to do. errFenced means that another process has the row.
func (e *Engine) save(ctx context.Context, t *target, ledger any) error {
	text, err := json.Marshal(ledger)
	if err != nil {
		return fmt.Errorf("engine: ledger of %s: %w", t.id, err)
	}
	ctx, cancel := storing(ctx)
	defer cancel()
	n, err := e.db.pool().exec(ctx, `UPDATE hvpanels_target SET state=$3, message=$4, instance=$5, ledger=$6,
		changed_at=CASE WHEN state<>$3 OR instance<>$5 THEN {now} ELSE changed_at END
		WHERE id=$1 AND owner=$2`, t.id, t.token, string(t.state), t.message, t.instance, string(text))
	if err == nil && n == 0 {
		err = errFenced
	}
	if err == nil {
		t.ledger = string(text)
	}
	return err
}

// storing is the context for writing down what is known: it outlives the step's, so that the result of a write that was sent is not lost because time ran out.
func storing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}

// verdict is how a step ends.
type verdict struct {
	state    State
	message  string
	done     bool          // nothing is left to do until something changes
	after    time.Duration // when to look again; with done, zero or less means never
	waitsFor string        // the scope of creates that has to be free first
	failed   bool          // counts as a failure: the pauses grow, and in the end somebody has to look
}

// followed is the instruction that the step has carried out: a step that failed has not.
func (v verdict) followed(t *target) string {
	if v.failed || v.waitsFor != "" {
		return "-"
	}
	return t.instruction
}

const letGo = `UPDATE hvpanels_target SET
	done_gen=CASE WHEN CAST($3 AS BIGINT)=1 THEN CAST($4 AS BIGINT) ELSE done_gen END,
	owner=NULL, lease_until=NULL, claimed_at=NULL,
	due_at=CASE WHEN gen<>$4 THEN {now} WHEN CAST($5 AS BIGINT)<0 THEN NULL ELSE {now}+CAST($5 AS BIGINT) END,
	disturbed=disturbed-$6, late=CASE WHEN disturbed=$6 THEN '' ELSE late END,
	changed_at=CASE WHEN state<>$7 OR message<>$8 OR instance<>$9 THEN {now} ELSE changed_at END,
	state=$7, message=$8, instance=$9, ledger=$10,
	missing_at=CASE WHEN CAST($11 AS BIGINT)>0 THEN CAST($11 AS BIGINT) ELSE NULL END,
	attempts=CASE WHEN CAST($12 AS BIGINT)=1 THEN attempts+1 ELSE 0 END,
	failing_since=CASE WHEN CAST($12 AS BIGINT)=0 THEN NULL WHEN failing_since IS NULL THEN {now} ELSE failing_since END,
	pending_since=CASE WHEN CAST($3 AS BIGINT)=1 AND gen=$4 THEN NULL ELSE pending_since END,
	waits_for=$13, instruction=CASE WHEN instruction=$14 THEN '' ELSE instruction END
	WHERE id=$1 AND owner=$2 RETURNING gen`

// letGo gives the row back. again means that it has changed meanwhile, or that there is more to do, and that it is to be claimed at once; errFenced that
// another process has it.
func (e *Engine) letGo(ctx context.Context, t *target, v verdict, wake []string) (again bool, err error) {
	ctx, cancel := storing(ctx)
	defer cancel()
	due := int64(-1)
	if !v.done || v.after > 0 {
		due = max(v.after.Milliseconds(), 0)
	}
	release := func(c conn) error {
		var gen int64
		ok, err := c.one(ctx, letGo,
			[]any{t.id, t.token, flag(v.done), t.gen, due, t.disturbed, string(v.state), v.message, t.instance, t.ledger, t.missingAt, flag(v.failed),
				v.waitsFor, v.followed(t)}, &gen)
		if err == nil && !ok {
			err = errFenced
		}
		again = gen != t.gen || !v.done && !v.failed && due == 0
		return err
	}
	if len(wake) == 0 {
		err = release(e.db.pool())
	} else {
		err = e.db.tx(ctx, func(x txn) error {
			if err := release(x.conn); err != nil {
				return err
			}
			return e.nudge(ctx, x, wake)
		})
	}
	return again, err
}

// disturb tells the process that has the row now that this one, which had lost it, sent something late: what the panel has may be older than what it was told last.
func (e *Engine) disturb(ctx context.Context, t *target, sent string) error {
	ctx, cancel := storing(ctx)
	defer cancel()
	return e.db.tx(ctx, func(x txn) error {
		if _, err := x.exec(ctx, `UPDATE hvpanels_target SET disturbed=disturbed+1, late=$2 WHERE id=$1`, t.id, sent); err != nil {
			return err
		}
		return e.nudge(ctx, x, []string{t.id})
	})
}

// beat renews what this process holds, except what has been held for longer than a step may take: a step that hangs must not keep its row for ever. Steps
// whose row was taken are cancelled.
func (e *Engine) beat(ctx context.Context) error {
	lease, timeout := e.config.Timings.Lease.Milliseconds(), e.config.Timings.StepTimeout.Milliseconds()
	c := e.db.pool()
	for _, table := range []string{"hvpanels_target", "hvpanels_scope"} {
		name := "id"
		if table == "hvpanels_scope" {
			name = "scope"
		}
		// A row that is locked is just being written by its own step.
		_, err := c.exec(ctx, `UPDATE `+table+` SET lease_until={now}+$2 WHERE `+name+` IN (SELECT `+name+` FROM `+table+`
			WHERE lease_until IS NOT NULL AND owner LIKE $1 AND claimed_at>{now}-$3 {skiplocked})`, e.process+":%", lease, timeout)
		if err != nil {
			return err
		}
	}
	held := map[string]bool{}
	before := e.tokens() // read before the rows: what is claimed from here on is not judged
	err := c.each(ctx, `SELECT owner FROM hvpanels_target WHERE lease_until IS NOT NULL AND owner LIKE $1`, []any{e.process + ":%"}, func(scan func(...any) error) error {
		var token string
		err := scan(&token)
		held[token] = true
		return err
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, token := range before {
		if cancel := e.running[token]; cancel != nil && !held[token] {
			cancel(errFenced)
		}
	}
	return nil
}

func (e *Engine) tokens() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]string, 0, len(e.running))
	for token := range e.running {
		all = append(all, token)
	}
	return all
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
