package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Resync begins a new generation of a service: what was refused is tried again, what somebody changed in the panel is changed back, and records are told
// their status again. It never makes a second server or record: what is unclear is resolved first, and what is lost stays lost until Recreate.
//
// The error is ErrMaybeApplied when a record is uncertain and its registrar cannot search; nothing is sent for it until SettleRecord. The rest of the service
// is resynchronised all the same.
func (e *Engine) Resync(ctx context.Context, key string) error {
	var uncertain error
	err := e.changeService(ctx, "Resync", key, func(t txn, svc stored) ([]string, error) {
		uncertain = nil
		if _, err := t.exec(ctx, `UPDATE hvpanels_service SET generation=generation+1, updated_at={now} WHERE key=$1`, key); err != nil {
			return nil, err
		}
		// Failures are counted anew, and what panels have acknowledged counts as unknown.
		if _, err := t.exec(ctx, `UPDATE hvpanels_target SET attempts=0, failing_since=NULL, disturbed=disturbed+1 WHERE key=$1`, key); err != nil {
			return nil, err
		}
		ids := []string{targetID(key, svc.Provider)}
		for _, name := range svc.Registrars {
			id := targetID(key, name)
			stuck, err := e.stuckRecord(ctx, t.conn, id, name)
			if err != nil {
				return nil, err
			}
			if stuck {
				uncertain = &provisioning.Error{Op: "Resync", Kind: provisioning.Conflict, MaybeApplied: true, Message: fmt.Sprintf(
					"a record of %s may exist on %s, which cannot be searched; look there and call SettleRecord", key, name)}
				continue
			}
			ids = append(ids, id)
		}
		return ids, nil
	})
	return errors.Join(err, uncertain)
}

// stuckRecord reports a record whose fate only a person can find out.
func (e *Engine) stuckRecord(ctx context.Context, c conn, id, panel string) (bool, error) {
	var text string
	var l recordLedger
	if ok, err := c.one(ctx, `SELECT ledger FROM hvpanels_target WHERE id=$1`, []any{id}, &text); err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return false, fmt.Errorf("engine: ledger of %s: %w", id, err)
	}
	if p := e.panels[panel]; p != nil {
		if _, ok := provisioning.As[provisioning.RegistrarFinder](p.registrar); ok {
			return false, nil
		}
	}
	return l.Unclear || l.Registering, nil
}

// changeService runs f for a service that is locked, and wakes workers for the rows that f returns.
func (e *Engine) changeService(ctx context.Context, op, key string, f func(t txn, svc stored) ([]string, error)) error {
	return e.db.tx(ctx, func(t txn) error {
		svc, ok, err := loadService(ctx, t.conn, key, true)
		if err != nil {
			return err
		}
		if !ok || svc.forgotten {
			return noService(op, key)
		}
		ids, err := f(t, svc)
		if err != nil {
			return err
		}
		return e.nudge(ctx, t, ids)
	})
}

// instruction is what a person has decided about a row. Only the process that holds the row may change its ledger, so the decision is stored beside it.
type instruction struct {
	Recreate bool                  `json:"recreate,omitempty"`
	Settle   bool                  `json:"settle,omitempty"`
	Record   provisioning.RecordID `json:"record,omitempty"`
}

func instruct(ctx context.Context, c conn, id string, i instruction) error {
	text, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("engine: instruction: %w", err)
	}
	_, err = c.exec(ctx, `UPDATE hvpanels_target SET instruction=$2 WHERE id=$1`, id, string(text))
	return err
}

// Recreate orders a new server for a service whose server is lost or foreign; everything that was on it is gone. The panel is asked once more whether the old
// one is really not there. Anything else is a Conflict.
func (e *Engine) Recreate(ctx context.Context, key string) error {
	return e.changeService(ctx, "Recreate", key, func(t txn, svc stored) ([]string, error) {
		id := targetID(key, svc.Provider)
		var state State
		if _, err := t.one(ctx, `SELECT state FROM hvpanels_target WHERE id=$1`, []any{id}, &state); err != nil {
			return nil, err
		}
		if svc.Desired == Absent || state != Lost && state != Foreign {
			return nil, &provisioning.Error{Op: "Recreate", Kind: provisioning.Conflict,
				Message: fmt.Sprintf("the server of %s is %s; only one that is lost or foreign is made again", key, state)}
		}
		return []string{id}, instruct(ctx, t.conn, id, instruction{Recreate: true})
	})
}

// SettleRecord says what a person has found out about a record that is uncertain, lost or foreign: its id on the panel, or "" when there is none, and a new
// one may be registered.
func (e *Engine) SettleRecord(ctx context.Context, key, registrar string, id provisioning.RecordID) error {
	return e.changeService(ctx, "SettleRecord", key, func(t txn, svc stored) ([]string, error) {
		if !slices.Contains(svc.Registrars, registrar) {
			return nil, provisioning.InvalidField("registrar", "%.40q is not one of service %s", registrar, key)
		}
		var other string
		taken, err := t.one(ctx, `SELECT key FROM hvpanels_target WHERE panel=$1 AND instance=$2 AND key<>$3 AND instance<>'' AND state NOT IN ('gone', 'forgotten')`,
			[]any{registrar, string(id), key}, &other)
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, &provisioning.Error{Op: "SettleRecord", Kind: provisioning.Conflict, Message: fmt.Sprintf("record %s belongs to service %s", id, other)}
		}
		return []string{targetID(key, registrar)}, instruct(ctx, t.conn, targetID(key, registrar), instruction{Settle: true, Record: id})
	})
}

// Forget stops looking after a service and leaves everything on the panels as it is. It is final: the Key is never used again, and Services no longer lists
// it. A service whose create is unclear cannot be forgotten: Conflict.
func (e *Engine) Forget(ctx context.Context, key string) error {
	return e.changeService(ctx, "Forget", key, func(t txn, svc stored) ([]string, error) {
		in, known, err := loadIntent(ctx, t.conn, key, true)
		if err != nil {
			return nil, err
		}
		if known && unresolved(in) {
			return nil, &provisioning.Error{Op: "Forget", Kind: provisioning.Conflict, Message: "the create of " + key + " is not resolved yet"}
		}
		if _, err := t.exec(ctx, `UPDATE hvpanels_service SET forgotten=1, generation=generation+1, updated_at={now} WHERE key=$1`, key); err != nil {
			return nil, err
		}
		var ids []string
		for _, name := range append([]string{svc.Provider}, svc.Registrars...) {
			ids = append(ids, targetID(key, name))
		}
		return ids, nil
	})
}
