package engine

import (
	"context"

	"github.com/hvpanels/hvpanels/provisioning"
)

// suspension places or lifts the engine's own suspension. busy is true when that is not over in this step.
func (p *providerStep) suspension(ctx context.Context, i provisioning.Instance) (v verdict, busy bool) {
	want := p.svc.Desired == Suspended
	switch {
	case want && !i.Suspended && p.wasSent(writeSuspend):
		p.l.Placed = false // somebody lifted it: a suspension that is seen later is not ours
		return v, false
	case want && !i.Suspended:
		return p.suspend(ctx)
	case !want && i.Suspended && p.l.Placed:
		return p.unsuspend(ctx)
	case !want && !i.Suspended:
		p.l.Placed = false
	}
	return v, false
}

func (p *providerStep) suspend(ctx context.Context) (verdict, bool) {
	before := p.l.Placed
	p.l.Placed = true
	v, ok := p.write(ctx, writeSuspend, func() (*provisioning.Operation, error) {
		return provisioning.Suspend(ctx, p.p.provider, provisioning.ID(p.t.instance), p.svc.Reason)
	})
	if !ok {
		if v.done { // refused: there is no suspension of ours
			p.l.Placed = before
		}
		return v, true
	}
	return p.changed()
}

func (p *providerStep) unsuspend(ctx context.Context) (verdict, bool) {
	v, ok := p.write(ctx, writeUnsuspend, func() (*provisioning.Operation, error) {
		return provisioning.Unsuspend(ctx, p.p.provider, provisioning.ID(p.t.instance))
	})
	if !ok {
		return v, true
	}
	p.l.Placed = false
	return p.changed()
}

// changed looks at the result at once, or when the panel has carried it out.
func (p *providerStep) changed() (verdict, bool) {
	v := verdict{state: Changing, message: "looking at the result"}
	if p.l.Running.What != "" {
		v = p.again(Changing, "the panel carries out "+p.l.Running.What, p.l.Running.Since)
	}
	return v, true
}

// resize brings the server to the size of the order: the plan first, then single resources.
func (p *providerStep) resize(ctx context.Context) (v verdict, busy bool) {
	want, have := sizeOf(p.svc.Spec), p.l.Size
	if want == have {
		return v, false
	}
	r := provisioning.ResizeRequest{Plan: want.Plan}
	next := size{Plan: want.Plan}
	if want.Plan == have.Plan {
		r, next = want.difference(have), want
	}
	if r == (provisioning.ResizeRequest{}) { // an override was dropped: the panel has no word for that
		p.l.Size = want
		return v, false
	}
	v, ok := p.write(ctx, writeResize, func() (*provisioning.Operation, error) {
		return provisioning.Resize(ctx, p.p.provider, provisioning.ID(p.t.instance), r)
	})
	if !ok {
		return v, true
	}
	p.l.SizeBefore, p.l.Size = have, next
	return p.changed()
}

// difference is what has to be asked for to get from have to s.
func (s size) difference(have size) provisioning.ResizeRequest {
	var r provisioning.ResizeRequest
	if s.Memory != have.Memory && !s.Memory.IsZero() {
		r.Memory = s.Memory
	}
	if s.Disk != have.Disk && !s.Disk.IsZero() {
		r.Disk = s.Disk
	}
	if s.VCPUs != have.VCPUs && !s.VCPUs.IsZero() {
		r.VCPUs = s.VCPUs
	}
	return r
}
