package solusvm2

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// What an operation waits for. The words are part of the references that programs store.
const (
	waitTask      = "task"      // a task of the panel
	waitIdle      = "idle"      // no task of the server is running
	waitCreate    = "create"    // the server is installed
	waitSuspend   = "suspend"   // the server's flag
	waitUnsuspend = "unsuspend" // the server's flag
)

// settleIdle is how long an action without a task may take to show on the server: until then an idle server may be one that has not begun. It is a guess.
const settleIdle = 15 * time.Second

// operation is a reference like "task/42/900/1763750000": what is waited for, the server, and for some the task and when it was asked for.
type operation struct {
	what   string
	server ServerID
	task   TaskID
	asked  int64 // Unix time
}

func (o operation) ref() string {
	parts := []string{o.what, format(o.server)}
	if o.what == waitTask {
		parts = append(parts, format(o.task))
	}
	if o.what == waitTask || o.what == waitIdle {
		parts = append(parts, strconv.FormatInt(o.asked, 10))
	}
	return strings.Join(parts, "/")
}

// OpenOperation resumes an operation of this provider from its Ref.
func (p *Provider) OpenOperation(ref string) (*provisioning.Operation, error) {
	parts := strings.Split(ref, "/")
	fields := map[string]int{waitTask: 4, waitIdle: 3, waitCreate: 2, waitSuspend: 2, waitUnsuspend: 2}[parts[0]]
	bad := provisioning.InvalidField("ref", "%.60q is not a reference of this provider", ref)
	if fields == 0 || len(parts) != fields {
		return nil, bad
	}
	o := operation{what: parts[0]}
	var err error
	if o.server, err = parse[ServerID]("ref", parts[1]); err != nil {
		return nil, bad
	}
	if o.what == waitTask {
		if o.task, err = parse[TaskID]("ref", parts[2]); err != nil {
			return nil, bad
		}
	}
	if fields > 2 {
		if o.asked, err = strconv.ParseInt(parts[fields-1], 10, 64); err != nil {
			return nil, bad
		}
	}
	return p.open(o), nil
}

func (p *Provider) open(o operation) *provisioning.Operation {
	look := p.lookServer
	if o.what == waitTask {
		look = p.lookTask
	}
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: instanceID(o.server), Ref: o.ref(),
		Look: func(ctx context.Context) (provisioning.Look, error) { return look(ctx, o) }})
}

// follow waits for the task that an action answered with, or for what the server shows when it told none.
func (p *Provider) follow(server ServerID, t *Task, otherwise string) *provisioning.Operation {
	o := operation{what: otherwise, server: server, asked: time.Now().Unix()}
	if t != nil {
		o.what, o.task = waitTask, t.ID
	}
	return p.open(o)
}

// lookTask follows the task, and the server where the role may not read tasks or the panel no longer has this one.
func (p *Provider) lookTask(ctx context.Context, o operation) (provisioning.Look, error) {
	t, err := p.client.Tasks.Get(ctx, o.task)
	if hidden(err) || errors.Is(err, provisioning.NotFound) {
		o.what = waitIdle
		return p.lookServer(ctx, o)
	}
	if err != nil {
		return provisioning.Look{}, err
	}
	return t.Look()
}

// lookServer follows the server. What it shows is less than a task tells: an action that failed and left the server as it was looks like one that went well.
func (p *Provider) lookServer(ctx context.Context, o operation) (provisioning.Look, error) {
	s, err := p.client.Servers.Get(ctx, o.server)
	if err != nil {
		return provisioning.Look{}, err
	}
	look := s.Look()
	idle := look.Done
	switch o.what {
	case waitSuspend:
		look.Done = idle && bool(s.IsSuspended)
	case waitUnsuspend:
		look.Done = idle && !bool(s.IsSuspended)
	case waitCreate:
		look.Done = s.Phase() == provisioning.PhaseReady
		err = p.howMade(ctx, s)
	default:
		look.Done = idle && time.Since(time.Unix(o.asked, 0)) >= settleIdle
		if look.Done && s.Phase() == provisioning.PhaseFailed {
			err = fmt.Errorf("solusvm2: server %d: %w: the panel has it as %q", s.ID, provisioning.ErrTaskFailed, s.Status)
		}
	}
	if err != nil {
		return look, err
	}
	if look.Done {
		look.Percent = 100
	}
	return look, nil
}

// howMade asks the task that created a server, once the server is ready or has failed: one that is ready may be done with errors. Where the role may not read tasks the server's own state is enough.
func (p *Provider) howMade(ctx context.Context, s *Server) error {
	failed := s.Phase() == provisioning.PhaseFailed
	if !failed && s.Phase() != provisioning.PhaseReady {
		return nil
	}
	for t, err := range p.client.Tasks.List(ctx, TaskFilter{Action: TaskServerCreate, ServerID: s.ID}) {
		if hidden(err) || errors.Is(err, provisioning.NoRoute) {
			break
		}
		if err != nil {
			return err
		}
		// Panels that do not tell a task's server may ignore the filter too: what they say explains a failure, and is no proof of one.
		if t.Action != TaskServerCreate || t.ServerID != s.ID && (t.ServerID != 0 || !failed) {
			continue
		}
		if _, err := t.Look(); err != nil {
			return fmt.Errorf("solusvm2: creation of server %d: %w", s.ID, err)
		}
	}
	if failed {
		return fmt.Errorf("solusvm2: creation of server %d: %w: the panel has it as %q", s.ID, provisioning.ErrTaskFailed, s.Status)
	}
	return nil
}

// Start boots the server. The operation ends with the panel's task, or on the server where tasks may not be read.
func (p *Provider) Start(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.act(id, waitIdle, func(s ServerID) (*Task, error) { return p.client.Servers.Start(ctx, s) })
}

// Restart asks the guest to restart.
func (p *Provider) Restart(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.act(id, waitIdle, func(s ServerID) (*Task, error) { return p.client.Servers.Restart(ctx, s, PowerOptions{}) })
}

// Shutdown asks the guest to shut down.
func (p *Provider) Shutdown(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.act(id, waitIdle, func(s ServerID) (*Task, error) { return p.client.Servers.Stop(ctx, s, PowerOptions{}) })
}

// PowerOff cuts the power.
func (p *Provider) PowerOff(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.act(id, waitIdle, func(s ServerID) (*Task, error) { return p.client.Servers.Stop(ctx, s, PowerOptions{Force: true}) })
}

// Suspend suspends the server; the panel stores no reason.
func (p *Provider) Suspend(ctx context.Context, id provisioning.ID, _ string) (*provisioning.Operation, error) {
	return p.act(id, waitSuspend, func(s ServerID) (*Task, error) { return p.client.Servers.Suspend(ctx, s) })
}

// Unsuspend lifts the suspension.
func (p *Provider) Unsuspend(ctx context.Context, id provisioning.ID) (*provisioning.Operation, error) {
	return p.act(id, waitUnsuspend, func(s ServerID) (*Task, error) { return p.client.Servers.Resume(ctx, s) })
}

func (p *Provider) act(id provisioning.ID, otherwise string, do func(ServerID) (*Task, error)) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	t, err := do(server)
	if err != nil {
		return nil, err
	}
	return p.follow(server, t, otherwise), nil
}

// Delete asks for the deletion. The panel knows no grace period, so In must be 0. The operation is done when the panel accepted it; the server is listed until its task ends, see WaitGone.
func (p *Provider) Delete(ctx context.Context, id provisioning.ID, o provisioning.DeleteOptions) (*provisioning.Operation, error) {
	server, err := parseID(id)
	if err != nil {
		return nil, err
	}
	if o.In != 0 {
		return nil, provisioning.InvalidField("in", "must be 0: this panel deletes at once")
	}
	if _, err := p.client.Servers.Delete(ctx, server); err != nil {
		return nil, err
	}
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: id, Effective: time.Now()}), nil
}
