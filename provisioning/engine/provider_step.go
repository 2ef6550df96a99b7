package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// providerLedger is what the engine knows about a server: what it did, and what it saw.
type providerLedger struct {
	UUID  string `json:"uuid,omitempty"`
	Built bool   `json:"built,omitempty"` // the first installation is done
	// BuildFailure says why the first installation failed. The operation tells it, and some panels do not tell it with the server.
	BuildFailure string `json:"buildFailure,omitempty"`
	Image        string `json:"image,omitempty"` // catalog id of the last rebuild, "" before one
	// Running is what the panel carries out at the moment.
	Running running `json:"running,omitzero"`
	// Placed says that the suspension is the engine's own. It is stored before the suspension is sent.
	Placed bool `json:"placed,omitempty"`
	// Sent says in which generation a write was last sent with a clear outcome, and Refused which were refused for good.
	Sent    map[string]int64   `json:"sent,omitempty"`
	Refused map[string]refusal `json:"refused,omitempty"`
	// Size is what the panel has accepted as the server's size, and SizeBefore what it was before the last resize, should that fail.
	Size       size     `json:"size,omitzero"`
	SizeBefore size     `json:"sizeBefore,omitzero"`
	Deferred   []string `json:"deferred,omitempty"`
	Missing    int      `json:"missing,omitempty"` // how often in a row the panel said that the server does not exist
	// DeleteSent says that a deletion may have been sent. DeleteAt is when the panel will carry out the one that it has accepted.
	DeleteSent bool      `json:"deleteSent,omitempty"`
	DeleteAt   time.Time `json:"deleteAt,omitzero"`
	Observed   observed  `json:"observed,omitzero"`
	EventAt    time.Time `json:"eventAt,omitzero"` // of the last change that was seen or made
}

// running is an accepted operation.
type running struct {
	What  string    `json:"what"`
	Ref   string    `json:"ref,omitempty"`
	Since time.Time `json:"since"`
}

// size is the part of an order that is followed after the installation.
type size struct {
	Plan   string                               `json:"plan,omitempty"`
	Memory provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	Disk   provisioning.Opt[provisioning.Bytes] `json:"disk,omitzero"`
	VCPUs  provisioning.Opt[int]                `json:"vcpus,omitzero"`
}

func sizeOf(r provisioning.CreateRequest) size { return size{r.Plan, r.Memory, r.Disk, r.VCPUs} }

// The writes, as they are named in Sent, Refused and messages.
const (
	writeCreate    = "create"
	writeSuspend   = "suspend"
	writeUnsuspend = "unsuspend"
	writeResize    = "resize"
	writeDelete    = "delete"
	waitBuild      = "build"
)

// providerStep looks after one server.
type providerStep struct {
	*step
	l providerLedger
}

// provider does one step for the row of a server.
func (s *step) provider(ctx context.Context) verdict {
	p := &providerStep{step: s}
	if err := json.Unmarshal([]byte(s.t.ledger), &p.l); err != nil {
		return s.retry(fmt.Errorf("engine: ledger of %s: %w", s.t.id, err))
	}
	before := p.reported(s.t.state)
	v := p.run(ctx)
	text, err := json.Marshal(p.l)
	if err != nil {
		return s.retry(err)
	}
	s.t.ledger = string(text)
	if p.reported(v.state) != before {
		s.wake = append(s.wake, s.registrarRows()...)
	}
	return v
}

// run takes the service one step further.
func (p *providerStep) run(ctx context.Context) verdict {
	if p.t.disturbed > 0 {
		p.l.Sent = nil // a late write may have come after ours
		if p.l.Running.What != waitBuild {
			p.l.Running = running{} // what is seen decides
		}
		p.l.Placed = p.l.Placed || p.t.late == writeSuspend
	}
	if p.svc.Desired == Absent {
		return p.absent(ctx)
	}
	if v, ok := p.recreate(ctx); !ok {
		return v
	}
	if !p.l.Built {
		if v, ready := p.create(ctx); !ready {
			return v
		}
	}
	if v, busy := p.operation(ctx); busy {
		return v
	}
	c, v, busy := p.nextCommand(ctx)
	if busy {
		return v
	}
	i, v, ok := p.observe(ctx)
	if !ok {
		return v
	}
	if c != nil {
		return p.do(ctx, c)
	}
	return p.converge(ctx, i)
}

// converge compares the server with what is desired, and sends at most one write.
func (p *providerStep) converge(ctx context.Context, i provisioning.Instance) verdict {
	switch i.Phase {
	case provisioning.PhaseBuilding:
		return p.again(Building, "the panel installs it", p.l.EventAt)
	case provisioning.PhaseFailed:
		return p.settled(Dead, "the installation failed: "+cmp.Or(p.l.BuildFailure, i.FailReason))
	}
	p.l.BuildFailure = ""
	if v, busy := p.suspension(ctx, i); busy {
		return v
	}
	if v, busy := p.resize(ctx); busy {
		return v
	}
	switch {
	case p.svc.Desired == Present && i.Suspended:
		return p.settled(Held, "held: it is suspended in the panel, and not by the engine; whoever did it has to lift it")
	case p.svc.Desired == Suspended && !i.Suspended:
		return p.settled(Drifted, "the suspension was lifted in the panel; Resync places it again")
	}
	return p.settled(Ready, "as desired")
}

// settled ends the work until something changes. The server is looked at soon after a change, and then ever more rarely.
func (p *providerStep) settled(state State, message string) verdict {
	v := verdict{state: state, message: message, done: true}
	if t := p.e.config.Timings; t.Observe > 0 {
		v.after = min(max(time.Since(p.l.EventAt), t.FirstLook), t.Observe)
	}
	return v
}

// again looks again soon: 15 % of the time that it has taken so far, and three times the shortest pause at most.
func (p *providerStep) again(state State, message string, since time.Time) verdict {
	t := p.e.config.Timings
	return verdict{state: state, message: message, after: min(max(time.Since(since)*15/100, t.Poll), 3*t.Poll)}
}

// observe reads the server. ok is false when there is nothing to go on with: it could not be read, does not exist, or is another one.
func (p *providerStep) observe(ctx context.Context) (i provisioning.Instance, v verdict, ok bool) {
	i, err := p.p.provider.Instance(ctx, provisioning.ID(p.t.instance))
	if errors.Is(err, provisioning.NotFound) {
		return i, p.missing(ctx, err), false
	}
	if p.asked(err) != nil {
		return i, p.unread(ctx, "reading the server", err), false
	}
	p.found()
	if i.UUID != "" && p.l.UUID != "" && i.UUID != p.l.UUID {
		return i, p.settled(Foreign, fmt.Sprintf("foreign: server %s has uuid %s, and the one of this service had %s; nothing is sent to it", i.ID, i.UUID, p.l.UUID)), false
	}
	if p.l.UUID == "" {
		p.l.UUID = i.UUID
	}
	if i.Image == "" {
		i.Image = p.imageName(ctx)
	}
	seen := p.reported("")
	p.l.Observed = observe(i)
	if p.reported("") != seen {
		p.l.EventAt = time.Now()
	}
	return i, v, true
}

// vanished looks at the server when a write was refused with "not found": the server itself may be gone since it was looked at, and not its plan or image, say.
// An earlier deletion whose answer was lost does that.
func (p *providerStep) vanished(ctx context.Context, err error) (v verdict, gone bool) {
	if p.t.instance == "" || !errors.Is(err, provisioning.NotFound) && !errors.Is(err, provisioning.Mismatch) {
		return v, false
	}
	_, v, there := p.observe(ctx)
	return v, !there
}

// longestChange is how long the end of an operation is waited for. Some are recognised by what the server shows, and would never end when somebody changes that
// back in the moment between two looks.
const longestChange = 6 * time.Hour

// operation looks at what the panel is doing. busy is true while it goes on.
func (p *providerStep) operation(ctx context.Context) (v verdict, busy bool) {
	r := p.l.Running
	if r.What == "" || r.What == waitBuild {
		return v, false
	}
	look, err := p.look(ctx, r.Ref)
	switch {
	case errors.Is(err, provisioning.ErrTaskFailed):
		return p.changeFailed(r.What, err), true
	case errors.Is(err, provisioning.NotFound): // the operation or the server is gone: what is seen decides
		p.l.Running = running{}
		return v, false
	case p.asked(err) != nil:
		return p.unread(ctx, "looking at "+r.What, err), true
	case !look.Done && time.Since(r.Since) < longestChange:
		return p.again(Changing, progress("the panel carries out "+r.What, look), r.Since), true
	}
	p.l.Running, p.l.EventAt = running{}, time.Now()
	return v, false
}

// changeFailed handles a change that the panel had accepted: it was not made, and is not asked for again in this generation.
func (p *providerStep) changeFailed(what string, err error) verdict {
	p.l.Running, p.l.EventAt = running{}, time.Now()
	delete(p.l.Sent, what)
	switch what {
	case writeSuspend:
		p.l.Placed = false // what is seen later is somebody else's
	case writeUnsuspend:
		p.l.Placed = true
	case writeResize:
		p.l.Size = p.l.SizeBefore
	}
	return p.refusedFor(what, verdict{state: Dead, message: what + " failed: " + err.Error()})
}

// refusedFor remembers a change that was refused for good, and goes on looking now and then: somebody may make it by hand.
func (p *providerStep) refusedFor(verb string, v verdict) verdict {
	v = p.refuse(verb, v)
	return p.settled(v.state, v.message)
}

// look looks at an operation once.
func (p *providerStep) look(ctx context.Context, ref string) (provisioning.Look, error) {
	op, err := provisioning.OpenOperation(p.p.provider, ref)
	if err != nil {
		return provisioning.Look{}, err
	}
	return op.Look(ctx)
}

func progress(what string, look provisioning.Look) string {
	if look.Percent > 0 {
		return fmt.Sprintf("%s: %d %%", what, look.Percent)
	}
	return what
}

// write sends one write, at most once in a generation unless its outcome was unclear. The row is stored first, which also makes sure that no other process has it.
func (p *providerStep) write(ctx context.Context, verb string, send func() (*provisioning.Operation, error)) (v verdict, ok bool) {
	if r, refused := p.l.Refused[verb]; refused && r.Generation == p.svc.generation {
		return p.settled(r.State, r.Message), false
	}
	p.t.state = Changing
	if err := p.e.save(ctx, p.t, p.l); err != nil {
		return p.retry(err), false
	}
	p.sent = verb
	op, err := send()
	if err != nil {
		if v, gone := p.vanished(ctx, err); gone {
			return v, false
		}
		v, refused := p.failure(ctx, verb, err)
		if refused {
			v = p.refusedFor(verb, v)
		}
		return v, false
	}
	p.alive = true
	if p.l.Sent == nil {
		p.l.Sent = map[string]int64{}
	}
	p.l.Sent[verb], p.l.EventAt = p.svc.generation, time.Now()
	delete(p.l.Refused, verb)
	if op != nil {
		p.l.Deferred = op.Deferred()
		if op.Ref() != "" {
			p.l.Running = running{What: verb, Ref: op.Ref(), Since: time.Now()}
		}
	}
	return v, true
}

// wasSent reports a write that was sent in this generation, with a clear outcome.
func (p *providerStep) wasSent(verb string) bool {
	return p.l.Sent[verb] == p.svc.generation
}

// refuse remembers that a write was refused for good in this generation.
func (p *providerStep) refuse(verb string, v verdict) verdict {
	if p.l.Refused == nil {
		p.l.Refused = map[string]refusal{}
	}
	p.l.Refused[verb] = refusal{p.svc.generation, v.state, v.message}
	return v
}

// reported is what registrars are told about: when it changes, they have to be looked at.
func (p *providerStep) reported(state State) string {
	o := p.l.Observed
	gone := state == Deleting || state == Gone
	return fmt.Sprint(p.t.instance, o.Phase, o.Power, o.Suspended, o.Memory, o.Disk, o.VCPUs, o.Image, gone, state.installing())
}

// registrarRows lists the rows of the service's registrars.
func (s *step) registrarRows() []string {
	ids := make([]string, 0, len(s.svc.Registrars))
	for _, name := range s.svc.Registrars {
		ids = append(ids, targetID(s.svc.Key, name))
	}
	return ids
}
