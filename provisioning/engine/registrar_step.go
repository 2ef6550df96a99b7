package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// recordLedger is what the engine knows about a record. The record's id is the row's instance, and the panel's address is stored with the panel.
type recordLedger struct {
	OwnerRef string `json:"ownerRef,omitempty"` // whose record it is
	// As is how the record was registered last. Registrars cannot change that, so it is what is looked for, whatever becomes of the server.
	As provisioning.Record `json:"as,omitzero"`
	// Status is what the panel has acknowledged; "" when that is not known.
	Status provisioning.RecordStatus `json:"status,omitempty"`
	// Registering is stored before the first byte is sent, and taken back when the outcome is known.
	Registering bool `json:"registering,omitempty"`
	// SendBefore is when the last Register could be sent at the latest.
	SendBefore time.Time `json:"sendBefore,omitzero"`
	Registers  int       `json:"registers,omitempty"` // how many were sent
	// Unclear says that a record may have been made whose id is not known.
	Unclear bool      `json:"unclear,omitempty"`
	SentAt  time.Time `json:"sentAt,omitzero"` // of the last status
	// NoUserSince is when the customer was first found to have no user on the panel.
	NoUserSince time.Time          `json:"noUserSince,omitzero"`
	Refused     map[string]refusal `json:"refused,omitempty"`
}

// The writes to registrars, as they are named in Refused and messages.
const (
	writeRegister   = "register"
	writeStatus     = "status"
	writeUnregister = "unregister"
)

const waitingForServer = "waiting for the server"

// maxRegisters is how many times a record may be sent whose fate was unclear, each after the one before was proven to have made none.
const maxRegisters = 2

// registrarStep looks after one record.
type registrarStep struct {
	*step
	l recordLedger
	o server
}

// server is what a registrar has to know about the service's server.
type server struct {
	instance string
	state    State
	observed observed
}

// registrar does one step for the row of a record.
func (s *step) registrar(ctx context.Context) verdict {
	r := &registrarStep{step: s}
	err := json.Unmarshal([]byte(s.t.ledger), &r.l)
	if err == nil {
		r.o, err = s.e.server(ctx, s.svc)
	}
	if err != nil {
		return s.retry(err)
	}
	v := r.run(ctx)
	text, err := json.Marshal(r.l)
	if err != nil {
		return s.retry(err)
	}
	s.t.ledger = string(text)
	return v
}

func (e *Engine) server(ctx context.Context, svc stored) (o server, err error) {
	var text string
	var l providerLedger
	ok, err := e.db.pool().one(ctx, `SELECT state, instance, ledger FROM hvpanels_target WHERE id=$1`, []any{targetID(svc.Key, svc.Provider)}, &o.state, &o.instance, &text)
	if err != nil || !ok {
		return o, err
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return o, fmt.Errorf("engine: ledger of %s: %w", svc.Key, err)
	}
	o.observed = l.Observed
	return o, nil
}

// run takes the record one step further.
func (r *registrarStep) run(ctx context.Context) verdict {
	if !slices.Contains(r.svc.Registrars, r.t.panel) {
		return verdict{state: Detached, message: "the service no longer names this registrar; the record stays as it is", done: true}
	}
	if r.t.disturbed > 0 {
		r.l.Status = "" // a late report of an older state may have come last
	}
	if err := r.settle(); err != nil {
		return r.retry(err)
	}
	if r.l.Registering { // the process that sent it has died, or lost the row
		r.l.Registering, r.l.Unclear = false, true
	}
	if r.l.Unclear {
		if v, resolved := r.resolve(ctx); !resolved {
			return v
		}
	}
	if r.svc.Desired == Absent {
		return r.unregister(ctx)
	}
	status, known := provisioning.RecordStatusOf(r.o.observed.instance(r.o.instance), r.svc.Desired == Suspended)
	switch {
	case r.o.instance == "" || r.o.observed.Phase == "":
		return verdict{state: r.idle(), message: waitingForServer, done: true}
	case r.t.instance == "":
		if !known {
			return verdict{state: Waiting, message: "waiting until the server's state is known: " + r.o.observed.RawState, done: true}
		}
		return r.register(ctx, status)
	case !known:
		return verdict{state: Ready, message: "the server's power state is not known, so nothing is sent; the record says " + string(r.l.Status), done: true}
	}
	return r.status(ctx, status)
}

// idle is the state of a record for which nothing can be done now.
func (r *registrarStep) idle() State {
	if r.t.instance == "" {
		return Waiting
	}
	return Ready
}

// record is what is registered: what the service says, and otherwise what the provider's panel tells.
func (s Service) record(seen observed, status provisioning.RecordStatus) provisioning.Record {
	rec := s.Record
	if rec.Key == "" {
		rec.Key = s.Key
	}
	if rec.OwnerRef == "" {
		rec.OwnerRef = s.Spec.Owner.Ref
	}
	if rec.Memory == 0 {
		rec.Memory = seen.Memory.Or(s.Spec.Memory.Or(0))
	}
	if rec.Disk == 0 {
		rec.Disk = seen.Disk.Or(s.Spec.Disk.Or(0))
	}
	if rec.VCPUs == 0 {
		rec.VCPUs = seen.VCPUs.Or(s.Spec.VCPUs.Or(0))
	}
	if rec.Image == "" {
		rec.Image = seen.Image
	}
	rec.Status = status
	return rec
}

// register makes the record. It is stored as being sent first; a process that dies in between leaves it unclear.
func (r *registrarStep) register(ctx context.Context, status provisioning.RecordStatus) verdict {
	if v, refused := r.refused(writeRegister); refused {
		return v
	}
	rec := r.svc.record(r.o.observed, status)
	if missing := untold(rec); missing != "" {
		return r.undescribed(missing)
	}
	r.t.state, r.l.OwnerRef, r.l.As = Sending, rec.OwnerRef, rec
	r.l.Registering, r.l.SendBefore = true, time.Now().Add(r.e.config.Create.SendWindow).UTC().Truncate(time.Millisecond)
	r.l.Registers++
	if err := r.e.save(ctx, r.t, r.l); err != nil {
		return r.retry(err)
	}
	r.sent = writeRegister
	window, cancel := context.WithDeadline(ctx, r.l.SendBefore)
	defer cancel()
	id, err := r.p.registrar.Register(window, rec)
	r.l.Registering = false
	if id != "" {
		return r.registered(ctx, rec, id, err)
	}
	return r.notRegistered(ctx, err)
}

// untold names the first thing that a record needs and nobody has told.
func untold(rec provisioning.Record) (field string) {
	switch {
	case rec.Memory == 0:
		return "Memory"
	case rec.Disk == 0:
		return "Disk"
	case rec.VCPUs == 0:
		return "VCPUs"
	case rec.Image == "":
		return "Image"
	}
	return ""
}

// undescribed waits for what the panel tells when the installation is done; what it has not told by then, it never will.
func (r *registrarStep) undescribed(field string) verdict {
	if r.o.state.installing() {
		return verdict{state: Waiting, message: "waiting until the installation is done: Record." + field + " is not known yet", done: true}
	}
	return verdict{state: Blocked, message: "blocked: the provider does not tell it, so Service.Record." + field + " has to be set", done: true}
}

// registered stores the id, also when an error came with it: then the record exists and its status is not known.
func (r *registrarStep) registered(ctx context.Context, rec provisioning.Record, id provisioning.RecordID, err error) verdict {
	r.t.instance, r.alive = string(id), true
	r.l.Status, r.l.SentAt, r.l.Registers, r.l.NoUserSince = rec.Status, time.Now(), 0, time.Time{}
	if perr := r.givenTwice(ctx, id); perr != nil {
		return r.retry(perr)
	}
	if err != nil {
		r.l.Status = ""
		v, refused := r.failure(ctx, writeStatus, err)
		if refused {
			v = r.refuse(writeStatus, v)
		}
		return v
	}
	return r.ready()
}

// ready is the end of the work. A record keeps the sizes of its registration.
func (r *registrarStep) ready() verdict {
	message := "the record says " + string(r.l.Status)
	if has, differs := r.l.outdated(r.svc.record(r.o.observed, "")); differs {
		message += "; it still has " + has + ", because records cannot be changed"
	}
	return verdict{state: Ready, message: message, done: true}
}

// registered is what the record was registered as; now is what it would be registered as today.
func (l recordLedger) registered(now provisioning.Record) provisioning.Record {
	if l.As.Key == "" {
		return now
	}
	as := l.As
	as.Status = now.Status
	return as
}

// outdated reports a record whose server has changed since, and says what the record has.
func (l recordLedger) outdated(now provisioning.Record) (has string, differs bool) {
	as := l.registered(now)
	return described(as), untold(now) == "" && described(as) != described(now)
}

func described(r provisioning.Record) string {
	return fmt.Sprintf("%v of memory, %v of disk, %d vCPUs and %q", r.Memory, r.Disk, r.VCPUs, r.Image)
}

// waitForUser asks ever more rarely. It is no failure: customers may make their account there when they like.
func (r *registrarStep) waitForUser(err error) verdict {
	if r.l.NoUserSince.IsZero() {
		r.l.NoUserSince = time.Now()
	}
	t := r.e.config.Timings
	return verdict{
		state: Waiting, message: "waiting for the customer's user on the panel: " + err.Error(),
		after: min(max(time.Since(r.l.NoUserSince)*15/100, t.RetryFirst), t.RetryMax),
	}
}

func (r *registrarStep) notRegistered(ctx context.Context, err error) verdict {
	if err == nil || errors.Is(err, provisioning.ErrMaybeApplied) {
		r.l.Unclear = true
		if err != nil {
			r.outage(ctx, err)
		}
		if _, ok := provisioning.As[provisioning.RegistrarFinder](r.p.registrar); !ok {
			return r.uncertain(mayExist + ", and this registrar cannot search")
		}
		return verdict{state: Searching, message: mayExist + "; searching", after: r.e.config.Timings.Poll}
	}
	r.l.Registers--
	if errors.Is(err, provisioning.NotFound) { // the customer has no user on that panel yet
		return r.waitForUser(err)
	}
	v, refused := r.failure(ctx, writeRegister, err)
	if v.state == Sending {
		v.state = Waiting
	}
	if refused {
		v = r.refuse(writeRegister, v)
	}
	return v
}

// status reports what was observed, when it differs from what the panel has acknowledged.
func (r *registrarStep) status(ctx context.Context, want provisioning.RecordStatus) verdict {
	if want == r.l.Status {
		return r.ready()
	}
	if v, refused := r.refused(writeStatus); refused {
		return v
	}
	if wait := time.Until(r.l.SentAt.Add(r.e.config.Timings.RecordEvery)); wait > 0 && r.l.Status != "" {
		return verdict{state: Ready, message: "the record says " + string(r.l.Status) + "; " + string(want) + " is sent later", after: wait}
	}
	r.l.Status = "" // not known until it is acknowledged
	if err := r.e.save(ctx, r.t, r.l); err != nil {
		return r.retry(err)
	}
	r.sent = writeStatus
	err := r.p.registrar.SetRecordStatus(ctx, provisioning.RecordID(r.t.instance), want)
	if r.asked(err) != nil {
		return r.notWritten(ctx, writeStatus, err)
	}
	r.l.Status, r.l.SentAt = want, time.Now()
	return r.ready()
}

// notWritten handles a write to a record that failed. A record that is not there, or is another one, is left to a person: it is not made again on its own,
// and nothing more is sent to its id.
func (r *registrarStep) notWritten(ctx context.Context, verb string, err error) verdict {
	switch {
	case errors.Is(err, provisioning.Mismatch):
		return r.refuse(verb, verdict{state: Foreign, message: "foreign: " + err.Error(), done: true})
	case errors.Is(err, provisioning.NotFound) && !errors.Is(err, provisioning.ErrMaybeApplied):
		return r.refuse(verb, verdict{state: Lost, message: "lost: the panel says that the record does not exist: " + err.Error(), done: true})
	}
	v, refused := r.failure(ctx, verb, err)
	if refused {
		v = r.refuse(verb, v)
	}
	return v
}

// unregister removes the record, once the deletion of the server was accepted.
func (r *registrarStep) unregister(ctx context.Context) verdict {
	switch {
	case r.t.instance == "":
		return verdict{state: Gone, message: "absent, as desired: there never was a record", done: true}
	case r.t.state == Gone:
		return verdict{state: Gone, message: "absent, as desired", done: true}
	case r.o.state != Deleting && r.o.state != Gone:
		return verdict{state: r.t.state, message: "waiting until the server is deleted", done: true}
	}
	if v, refused := r.refused(writeUnregister); refused {
		return v
	}
	if err := r.e.save(ctx, r.t, r.l); err != nil {
		return r.retry(err)
	}
	r.sent = writeUnregister
	err := r.p.registrar.Unregister(ctx, provisioning.RecordID(r.t.instance))
	if err != nil && (!errors.Is(err, provisioning.NotFound) || errors.Is(err, provisioning.ErrMaybeApplied)) {
		return r.notWritten(ctx, writeUnregister, err)
	}
	r.alive = true
	return verdict{state: Gone, message: "absent, as desired", done: true}
}

func (r *registrarStep) refused(verb string) (verdict, bool) {
	f, ok := r.l.Refused[verb]
	return f.verdict(), ok && f.Generation == r.svc.generation
}

func (r *registrarStep) refuse(verb string, v verdict) verdict {
	if r.l.Refused == nil {
		r.l.Refused = map[string]refusal{}
	}
	r.l.Refused[verb] = refusal{r.svc.generation, v.state, v.message}
	return v
}
