package virtfusion

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// What an operation waits for. The words are part of the references that programs store.
const (
	waitQueue     = "queue"     // a queue item
	waitBuild     = "build"     // the server's first build
	waitRebuild   = "rebuild"   // a build later than the one of the given time
	waitSuspend   = "suspend"   // the server's flag
	waitUnsuspend = "unsuspend" // the server's flag
)

// operation is a reference like "queue/12/171": what is waited for, the server, and for some a number.
type operation struct {
	what   string
	server ServerID
	number int64 // queue id, or the Unix time of the build before a rebuild
}

func (o operation) ref() string {
	ref := o.what + "/" + format(o.server)
	if o.what == waitQueue || o.what == waitRebuild {
		ref += "/" + strconv.FormatInt(o.number, 10)
	}
	return ref
}

// OpenOperation resumes an operation of this provider from its Ref.
func (p *Provider) OpenOperation(ref string) (*provisioning.Operation, error) {
	bad := provisioning.InvalidField("ref", "%.60q is not a reference of this provider", ref)
	parts := strings.Split(ref, "/")
	if len(parts) < 2 {
		return nil, bad
	}
	server, err := parse[ServerID]("ref", parts[1])
	if err != nil {
		return nil, bad
	}
	o := operation{what: parts[0], server: server}
	switch o.what {
	case waitQueue, waitRebuild:
		if len(parts) != 3 {
			return nil, bad
		}
		o.number, err = strconv.ParseInt(parts[2], 10, 64)
		if err != nil || o.what == waitQueue && o.number <= 0 {
			return nil, bad
		}
	case waitBuild, waitSuspend, waitUnsuspend:
		if len(parts) != 2 {
			return nil, bad
		}
	default:
		return nil, bad
	}
	return p.open(o), nil
}

func (p *Provider) open(o operation) *provisioning.Operation {
	look := p.lookServer
	if o.what == waitQueue {
		look = p.lookQueue
	}
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: instanceID(o.server), Ref: o.ref(),
		Look: func(ctx context.Context) (provisioning.Look, error) { return look(ctx, o) }})
}

func (p *Provider) lookQueue(ctx context.Context, o operation) (provisioning.Look, error) {
	item, err := p.client.Queue.Get(ctx, QueueID(o.number))
	if err != nil {
		return provisioning.Look{}, err
	}
	return item.Look()
}

// lookServer never asks the hypervisor.
func (p *Provider) lookServer(ctx context.Context, o operation) (provisioning.Look, error) {
	s, err := p.client.Servers.Get(ctx, o.server, GetServerOptions{})
	if err != nil {
		return provisioning.Look{}, err
	}
	look := provisioning.Look{Percent: -1, State: string(s.State)}
	switch o.what {
	case waitSuspend:
		look.Done = bool(s.Suspended)
	case waitUnsuspend:
		look.Done = !bool(s.Suspended)
	default:
		phase, fresh := s.Phase(), o.what == waitBuild || s.Built.Unix() != o.number
		if phase == provisioning.PhaseFailed {
			return look, fmt.Errorf("virtfusion: build of server %d: %w: %s", s.ID, provisioning.ErrTaskFailed, s.failReason())
		}
		look.Done = phase == provisioning.PhaseReady && fresh
	}
	if look.Done {
		look.Percent = 100
	}
	return look, nil
}

// Start boots the server. The operation ends with the panel's queue item. Locked while other tasks of the server wait, Maintenance while its hypervisor is.
func (p *Provider) Start(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.power(ctx, id, p.client.Servers.Boot)
}

// Restart restarts the server, as Start does.
func (p *Provider) Restart(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.power(ctx, id, p.client.Servers.Restart)
}

// Shutdown asks the guest to shut down (ACPI), as Start does.
func (p *Provider) Shutdown(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.power(ctx, id, p.client.Servers.Shutdown)
}

// PowerOff cuts the power, as Start does.
func (p *Provider) PowerOff(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.power(ctx, id, p.client.Servers.PowerOff)
}

func (p *Provider) power(ctx context.Context, id provisioning.ID, do func(context.Context, ServerID, ...CallOption) (QueueID, error)) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	queue, err := do(ctx, server)
	if err != nil {
		return nil, err
	}
	return p.open(operation{what: waitQueue, server: server, number: int64(queue)}), nil
}

// Suspend suspends the server; the panel stores no reason. The operation ends when the server shows as suspended. Whether it powers the guest off is not documented.
func (p *Provider) Suspend(ctx context.Context, id provisioning.ID, _ string) (*provisioning.Operation, error) {
	return p.suspension(ctx, id, waitSuspend, p.client.Servers.Suspend)
}

// Unsuspend lifts the suspension. The operation ends when the server no longer shows as suspended.
func (p *Provider) Unsuspend(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.suspension(ctx, id, waitUnsuspend, p.client.Servers.Unsuspend)
}

func (p *Provider) suspension(ctx context.Context, id provisioning.ID, what string, do func(context.Context, ServerID, ...CallOption) error) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if err := do(ctx, server); err != nil {
		return nil, err
	}
	return p.open(operation{what: what, server: server}), nil
}

// Delete schedules the deletion; the delay is always sent, 0 included, because the panel's own default is about five minutes. The operation is done when the panel accepted it and carries Effective.
func (p *Provider) Delete(ctx context.Context, id provisioning.ID, o provisioning.DeleteOptions) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if o.In < 0 || o.In%time.Minute != 0 || o.In > maxDeleteDelay*time.Minute {
		return nil, provisioning.InvalidField("in", "must be whole minutes, 0 to %d", maxDeleteDelay)
	}
	if err := p.client.Servers.Delete(ctx, server, DeleteServerOptions{DelayMinutes: int(o.In / time.Minute)}); err != nil {
		return nil, err
	}
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: id, Effective: time.Now().Add(o.In)}), nil
}

// Rename changes the display name. The panel writes it; the guest's hostname stays.
func (p *Provider) Rename(ctx context.Context, id provisioning.ID, name string) error {
	server, err := parseID(id)
	if err != nil {
		return err
	}
	return p.client.Servers.Rename(ctx, server, name)
}
