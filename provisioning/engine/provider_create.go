package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// create orders the server, by the rule of provisioning.CreateStep over the engine's table, and follows its first installation. ready is true when the server
// can be used.
func (p *providerStep) create(ctx context.Context) (v verdict, ready bool) {
	if r, refused := p.l.Refused[writeCreate]; refused && r.Generation == p.svc.generation {
		return r.verdict(), false
	}
	if p.l.Running.What == waitBuild && p.l.Running.Ref != "" {
		return p.building(ctx)
	}
	p.t.state = Creating
	if err := p.e.save(ctx, p.t, p.l); err != nil {
		return p.retry(err), false
	}
	p.sent = writeCreate
	progress, err := provisioning.CreateStep(ctx, p.p.provider, p.intents(), p.svc.Spec, p.e.config.Create)
	if perr := p.keepPassword(ctx, progress.Password); perr != nil {
		err = errors.Join(err, perr)
	}
	if progress.ID != "" {
		p.t.instance = string(progress.ID)
		if progress.UUID != "" {
			p.l.UUID = progress.UUID
		}
	}
	switch {
	case p.asked(err) != nil:
		return p.notCreated(ctx, err)
	case progress.Again > 0:
		return verdict{state: Creating, message: "waiting for " + progress.Waiting, after: progress.Again}, false
	}
	p.found()
	if p.l.Size, err = plannedSize(ctx, p.e.db.pool(), p.svc.Key); err != nil {
		return p.retry(err), false
	}
	return p.installing(ctx, progress.Operation)
}

// notCreated says what to do when a step of the creation failed. A server that is gone is never made again on its own.
func (p *providerStep) notCreated(ctx context.Context, err error) (verdict, bool) {
	if v, gone := p.vanished(ctx, err); gone {
		return v, false
	}
	v, refused := p.failure(ctx, writeCreate, err)
	if _, before := errors.AsType[*provisioning.OrderBeforeError](err); refused && before { // nothing was asked for this one
		return p.retry(err), false
	}
	if refused {
		v = p.refuse(writeCreate, v)
	}
	return v, false
}

// installing begins to wait for the installation. A provider whose operations cannot be resumed is asked by looking at the server.
func (p *providerStep) installing(ctx context.Context, op *provisioning.Operation) (verdict, bool) {
	p.l.EventAt = time.Now()
	ref := ""
	if op != nil {
		ref = op.Ref()
	}
	if ref == "" {
		return p.installed()
	}
	p.l.Running = running{What: waitBuild, Ref: ref, Since: time.Now()}
	if _, v, ok := p.observe(ctx); !ok && v.state == Foreign { // otherwise it is only for Status and the registrars
		return v, false
	}
	return verdict{state: Building, message: "the panel installs it", after: p.e.config.Timings.Poll}, false
}

// building looks whether the first installation is done.
func (p *providerStep) building(ctx context.Context) (v verdict, ready bool) {
	look, err := p.look(ctx, p.l.Running.Ref)
	switch {
	case errors.Is(err, provisioning.ErrTaskFailed):
		p.l.Running, p.l.Built, p.l.BuildFailure = running{}, true, err.Error() // a failed installation is for a person, and Rebuild is the way out
		_, _, _ = p.observe(ctx)                                                // for Status and the registrars
		return p.settled(Dead, "the installation failed: "+err.Error()), false
	case errors.Is(err, provisioning.NotFound):
		return p.buildForgotten(ctx)
	case p.asked(err) != nil:
		return p.unread(ctx, "looking at the installation", err), false
	case !look.Done:
		p.found()
		return p.again(Building, progress("the panel installs it", look), p.l.Running.Since), false
	}
	return p.installed()
}

// buildForgotten decides by the server when the panel no longer knows the operation.
func (p *providerStep) buildForgotten(ctx context.Context) (verdict, bool) {
	i, v, ok := p.observe(ctx)
	switch {
	case !ok:
		return v, false
	case i.Phase == provisioning.PhaseBuilding:
		return p.again(Building, "the panel installs it", p.l.Running.Since), false
	case i.Phase == provisioning.PhaseAllocated: // nothing is installed: CreateStep decides
		p.l.Running = running{}
		return verdict{state: Creating, message: "the panel no longer knows the installation", after: p.e.config.Timings.Poll}, false
	}
	return p.installed()
}

func (p *providerStep) installed() (verdict, bool) {
	p.l.Running, p.l.Built, p.l.EventAt = running{}, true, time.Now()
	return verdict{}, true
}
