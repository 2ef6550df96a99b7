package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hvpanels/hvpanels/provisioning"
)

func (t *target) instructed() (i instruction, err error) {
	if t.instruction == "" {
		return i, nil
	}
	if err := json.Unmarshal([]byte(t.instruction), &i); err != nil {
		return i, fmt.Errorf("engine: instruction of %s: %w", t.id, err)
	}
	return i, nil
}

// recreate forgets a server that is not there, so that create orders a new one. ok is false when the step ends with v.
func (p *providerStep) recreate(ctx context.Context) (v verdict, ok bool) {
	i, err := p.t.instructed()
	if err != nil {
		return p.retry(err), false
	}
	if !i.Recreate || p.t.instance == "" {
		return v, true
	}
	found, err := p.p.provider.Instance(ctx, provisioning.ID(p.t.instance))
	there := err == nil && (found.UUID == "" || p.l.UUID == "" || found.UUID == p.l.UUID)
	switch {
	case there: // it has come back
		return v, true
	case err != nil && !errors.Is(err, provisioning.NotFound):
		return p.unread(ctx, "reading the server", err), false
	}
	p.alive = true
	if err := p.dropIntent(ctx); err != nil {
		v, _ = p.failure(ctx, "forgetting the lost server", err)
		return v, false
	}
	p.found()
	p.t.instance, p.l = "", providerLedger{}
	return v, true
}

// dropIntent removes the record of the order whose server is lost.
func (p *providerStep) dropIntent(ctx context.Context) error {
	store := p.intents()
	in, err := store.Load(ctx, p.svc.Key)
	if errors.Is(err, provisioning.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, err := store.Lock(ctx, in.Scope)
	if err != nil {
		return err
	}
	defer unlock()
	ctx, cancel := storing(ctx)
	defer cancel()
	return p.e.db.tx(ctx, func(t txn) error {
		if err := store.fence(ctx, t.conn, in.Scope); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM hvpanels_intent WHERE key=$1`, p.svc.Key)
		return err
	})
}

// settle takes over what a person has found out about the record.
func (r *registrarStep) settle() error {
	i, err := r.t.instructed()
	if err != nil || !i.Settle {
		return err
	}
	r.t.instance = string(i.Record)
	r.l = recordLedger{OwnerRef: r.l.OwnerRef, As: r.l.As}
	return nil
}

// forget retires the key of a service that the engine no longer looks after.
func (s *step) forget(ctx context.Context) verdict {
	if s.t.kind == kindProvider {
		in, _, err := loadIntent(ctx, s.e.db.pool(), s.t.key, false)
		if err != nil {
			return s.retry(err)
		}
		if !in.Retired {
			if v, ok := s.retire(ctx); !ok {
				return v
			}
		}
	}
	return verdict{state: Forgotten, message: "the engine was told to forget it", done: true}
}
