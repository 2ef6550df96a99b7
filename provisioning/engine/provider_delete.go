package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// absent makes sure that there is no server, and that the Key never gets another one.
func (p *providerStep) absent(ctx context.Context) verdict {
	p.failCommands(ctx, "the service is to be absent")
	if p.t.state == Gone {
		return verdict{state: Gone, message: "absent, as desired", done: true}
	}
	if !p.l.DeleteAt.IsZero() && p.wasSent(writeDelete) {
		return p.deleting(ctx)
	}
	in, known, err := loadIntent(ctx, p.e.db.pool(), p.svc.Key, false)
	if err != nil {
		return p.retry(err)
	}
	if known && unresolved(in) {
		if in, err = p.resolve(ctx); err != nil {
			return p.unread(ctx, "finding out whether a server was made", err)
		}
		if unresolved(in) {
			return verdict{state: Deleting, message: "waiting for the fate of its create", after: p.e.config.Timings.Poll}
		}
	}
	if !in.Retired {
		if v, ok := p.retire(ctx); !ok {
			return v
		}
	}
	if p.t.instance == "" {
		p.t.instance = string(in.ID)
	}
	if p.l.UUID == "" {
		p.l.UUID = in.UUID
	}
	if p.t.instance == "" {
		return verdict{state: Gone, message: "absent, as desired: there never was a server", done: true}
	}
	return p.delete(ctx)
}

// retire makes sure that the key never gets another server. A refusal means that a process which had the row before has stored something since it was read.
func (s *step) retire(ctx context.Context) (v verdict, ok bool) {
	err := provisioning.Retire(ctx, s.intents(), s.t.key)
	if err == nil {
		return v, true
	}
	v, refused := s.failure(ctx, "retiring the key", err)
	if refused {
		v = s.retry(err)
	}
	return v, false
}

// resolve settles the fate of a create that was sent, without ever sending another one.
func (p *providerStep) resolve(ctx context.Context) (provisioning.Intent, error) {
	store := p.intents()
	store.noCreate = true
	_, stepErr := provisioning.CreateStep(ctx, p.p.provider, store, p.svc.Spec, p.e.config.Create)
	in, err := store.Load(ctx, p.svc.Key)
	if err != nil {
		return in, err
	}
	if unresolved(in) && stepErr != nil && !errors.Is(stepErr, errNoCreate) {
		return in, stepErr
	}
	return in, nil
}

// delete looks at the server, and asks for its deletion if it is the right one.
func (p *providerStep) delete(ctx context.Context) verdict {
	_, v, ok := p.observe(ctx)
	if !ok {
		if v.state == Lost {
			return verdict{state: Gone, message: "absent, as desired: the panel said twice that it does not exist", done: true}
		}
		return v
	}
	p.l.DeleteSent = true
	var op *provisioning.Operation
	v, ok = p.write(ctx, writeDelete, func() (_ *provisioning.Operation, err error) {
		op, err = provisioning.Delete(ctx, p.p.provider, provisioning.ID(p.t.instance), provisioning.DeleteOptions{In: p.svc.DeleteIn})
		return op, err
	})
	if !ok {
		return v
	}
	p.l.Running, p.l.DeleteAt = running{}, time.Now()
	if op != nil && op.Effective().After(p.l.DeleteAt) {
		p.l.DeleteAt = op.Effective()
	}
	return p.waitGone("the panel has accepted the deletion")
}

// deleting waits until the panel itself says that the server does not exist. A deletion that was accepted is not sent again.
func (p *providerStep) deleting(ctx context.Context) verdict {
	if time.Now().Before(p.l.DeleteAt) {
		return p.waitGone("the panel will delete it")
	}
	i, err := p.p.provider.Instance(ctx, provisioning.ID(p.t.instance))
	switch {
	case errors.Is(err, provisioning.NotFound), err == nil && i.UUID != "" && p.l.UUID != "" && i.UUID != p.l.UUID:
		p.alive = true
		p.found()
		return verdict{state: Gone, message: "absent, as desired", done: true}
	case p.asked(err) != nil:
		return p.unread(ctx, "looking whether it is gone", err)
	}
	return p.waitGone("the panel has accepted the deletion, and the server still exists")
}

// waitGone looks when the deletion is due, and then ever more rarely.
func (p *providerStep) waitGone(message string) verdict {
	t := p.e.config.Timings
	after := time.Until(p.l.DeleteAt)
	if after <= 0 {
		after = min(max(-after*15/100, t.Poll), t.RetryMax)
	} else {
		message += " at " + p.l.DeleteAt.UTC().Format(time.RFC3339)
		after += t.Poll
	}
	return verdict{state: Deleting, message: message, after: after}
}
