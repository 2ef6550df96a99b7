package provisioning

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CreateOnce makes the server of an order exactly once, and returns when the panel has accepted its installation; wait on the Operation for the rest. Calling
// it again with the same Key, in this process or another one with the same store, continues from the stored intent and returns the same server, whatever else
// the request then says.
//
// The rule: an intent is stored before the one create that is sent, and never sent after its window. An unclear answer is resolved by looking for the server,
// by its Key or as the owner's only new, unnamed and never built one, until the panel can no longer carry out the request (SendWindow + Settle); only then is
// a new create planned. While an order of an owner is unclear, no other create of that owner on that panel starts.
//
// Errors: Invalid before anything was sent; the panel's refusals, after which the Key may be used again; Conflict when several servers could be meant, or the
// Key was retired; Mismatch when the Key belongs to an order of another owner or panel, or the panel now has another server under the stored id; NotFound
// when the server of the Key is gone (it is never made again on its own); ErrMaybeApplied when ctx ended, or looking failed three times in a row, while the
// fate of a create or of the first installation was unknown. Call again to resolve it.
//
// Not promised: when somebody else makes a server for the same owner in the same minutes, which is unnamed and unbuilt as well, and the answer to our create
// is lost, the wrong one of the two may be taken, or both reported as a conflict.
func CreateOnce(ctx context.Context, p any, store Intents, r CreateRequest, o CreateOptions) (Created, error) {
	failed := 0
	var last CreateProgress
	for {
		step, err := CreateStep(ctx, p, store, r, o)
		if err != nil && !step.read { // the step learned nothing: what the last one knew still holds
			step.Created, step.Unclear = last.Created, last.Unclear
		}
		last = step
		switch {
		case err == nil && step.Again == 0:
			return step.Created, nil
		case err == nil:
			failed = 0
		case !step.Unclear:
			return step.Created, err
		default:
			failed++
			if failed == failedLooks || !transient(err) || ctx.Err() != nil {
				return step.Created, unclear(r.Key, err)
			}
			step.Again = max(time.Second, retryAfter(Look{}, err))
		}
		if err := sleep(ctx, step.Again); err != nil {
			if step.Unclear {
				return step.Created, unclear(r.Key, err)
			}
			return step.Created, &Error{Kind: Unavailable, Op: "CreateOnce", Message: "waited for " + step.Waiting, Err: err}
		}
	}
}

func unclear(key string, cause error) error {
	return &Error{Kind: Unavailable, Op: "CreateOnce", Message: "the order " + key + " is not resolved", MaybeApplied: true, Err: cause}
}

// CreateProgress is the outcome of one CreateStep.
type CreateProgress struct {
	Created
	// Again is zero when the order is through: the panel has accepted the installation. Otherwise nothing can be done now, and CreateStep wants to be called
	// again after that time.
	Again time.Duration
	// Unclear says that a create or a first installation of this order was sent and its fate is not known.
	Unclear bool
	// Waiting says in words what is waited for.
	Waiting string
	read    bool // the stored intent was read
}

// CreateStep does what can be done now for an order and never waits, except for the lock and the panel's answers. CreateOnce calls it in a loop; the engine
// calls it whenever its stored time has come. Errors are those of CreateOnce.
func CreateStep(ctx context.Context, p any, store Intents, r CreateRequest, o CreateOptions) (CreateProgress, error) {
	c, ok := As[Creator](p)
	if !ok {
		return CreateProgress{}, unsupported("Create")
	}
	if err := r.Validate(); err != nil {
		return CreateProgress{}, err
	}
	scope, err := c.CreateScope(r)
	if err != nil {
		return CreateProgress{}, err
	}
	s := &creation{c: c, store: store, r: r, o: o.withDefaults(), scope: scope}
	progress, build, err := s.locked(ctx)
	if err != nil || !build {
		return progress, err
	}
	return s.build(ctx, p)
}

type creation struct {
	c     Creator
	store Intents
	r     CreateRequest
	o     CreateOptions
	scope string
	in    Intent
}

// progress says what is known about the order.
func (s *creation) progress() CreateProgress {
	return CreateProgress{Created: Created{ID: s.in.ID, UUID: s.in.UUID}, read: true}
}

// locked locks the scope, settles which server is the order's, creating it if needed, and decides whether to build.
func (s *creation) locked(ctx context.Context) (_ CreateProgress, build bool, _ error) {
	unlock, err := s.store.Lock(ctx, s.scope)
	if err != nil {
		return CreateProgress{}, false, &Error{Kind: Unavailable, Op: "CreateOnce", Message: "could not lock " + s.scope, Err: err}
	}
	defer unlock()
	in, err := s.store.Load(ctx, s.r.Key)
	known := err == nil
	switch {
	case known:
		if err := s.check(in); err != nil {
			return s.progress(), false, err
		}
		s.in = in
	case !errors.Is(err, NotFound):
		return CreateProgress{}, false, err
	}
	if known && s.in.open() {
		wait, err := s.resolve(ctx, &s.in)
		if err != nil || wait > 0 {
			p := s.progress()
			p.Again, p.Unclear, p.Waiting = wait, s.in.ID == "", "the fate of its create"
			return p, false, err
		}
	}
	if !known || s.in.Closed {
		p, created, err := s.create(ctx)
		if err != nil || p.Again > 0 || created {
			return p, false, err
		}
	}
	return s.open(ctx)
}

// check refuses a stored intent that is not one of this order.
func (s *creation) check(in Intent) error {
	switch {
	case in.Retired:
		return &Error{Kind: Conflict, Op: "CreateOnce", Message: "key " + in.Key + " was retired: the deletion of its server was asked for"}
	case in.Scope != s.scope:
		return &Error{Kind: Mismatch, Op: "CreateOnce", Message: fmt.Sprintf("key %s belongs to an order of %s, not of %s", in.Key, in.Scope, s.scope)}
	}
	return nil
}

// resolve looks for the server of an open intent. wait > 0 means that its fate is still unknown. When it returns 0 and nil, the intent has an ID or is Closed.
func (s *creation) resolve(ctx context.Context, in *Intent) (wait time.Duration, err error) {
	now := time.Now() // before the walk: what it does not find had not happened by now
	found, err := s.c.FindCreated(ctx, *in)
	if err != nil {
		return 0, err
	}
	switch len(found) {
	case 1:
		in.ID, in.UUID = found[0].ID, found[0].UUID
		return 0, s.adopt(ctx, in)
	case 0:
		if left := in.SendBefore.Add(s.o.Settle).Sub(now); left > 0 {
			return min(left, s.pause(in.SendBefore, now)), nil
		}
		in.Closed = true
		return 0, s.save(ctx, *in)
	}
	e := &ConflictError{Key: in.Key}
	for _, i := range found {
		e.Candidates = append(e.Candidates, i.ID)
	}
	return 0, e
}

// pause grows with the time since the window of a request began.
func (s *creation) pause(before, now time.Time) time.Duration {
	return nextPause(now.Sub(before.Add(-s.o.SendWindow)), 5*time.Second)
}

// adopt stores the server of an intent and writes the Key onto it.
func (s *creation) adopt(ctx context.Context, in *Intent) error {
	if err := s.save(ctx, *in); err != nil {
		return err
	}
	s.stage(in, StageCreated)
	if in.Marked {
		return nil
	}
	if err := s.c.MarkCreated(ctx, *in); err != nil {
		return fmt.Errorf("server %s was created for key %s but does not carry it yet: %w", in.ID, in.Key, err)
	}
	in.Marked = true
	if err := s.save(ctx, *in); err != nil {
		return err
	}
	s.stage(in, StageMarked)
	return nil
}

func (s *creation) stage(in *Intent, stage CreateStage) {
	if in.Key == s.r.Key {
		s.o.OnStage(stage, in.ID)
	}
}

// save does not end with the caller's context: what is known about a write that was sent must not be lost.
func (s *creation) save(ctx context.Context, in Intent) error {
	return s.store.Save(context.WithoutCancel(ctx), in)
}

// deadline is when a write that is sent now may be sent last. It is plain wall time: a monotonic clock stands still while a machine is suspended.
func (s *creation) deadline() time.Time {
	return time.Now().Add(s.o.SendWindow).UTC().Truncate(time.Millisecond)
}

// create plans and sends the one create. created is true when p is the final answer: the panel installs the server without a build.
func (s *creation) create(ctx context.Context) (p CreateProgress, created bool, err error) {
	if p, err = s.others(ctx); err != nil || p.Again > 0 {
		return p, false, err
	}
	in, err := s.c.PlanCreate(ctx, s.r)
	if err != nil {
		return p, false, err
	}
	in.Key, in.Scope, in.SendBefore = s.r.Key, s.scope, s.deadline()
	s.in = in
	if s.in.ID != "" {
		s.in.Marked = true
		err = s.adopt(ctx, &s.in)
		return s.progress(), false, err
	}
	if err := s.save(ctx, s.in); err != nil {
		return p, false, err
	}
	s.stage(&s.in, StagePlanned)
	c, err := s.c.Create(ctx, s.r, s.in)
	if c.ID == "" {
		p, err = s.notCreated(ctx, err)
		return p, false, err
	}
	s.in.ID, s.in.UUID = c.ID, c.UUID
	if err := s.adopt(ctx, &s.in); err != nil {
		p = s.progress()
		p.Password = c.Password
		return p, false, err
	}
	if c.Operation == nil {
		return s.progress(), false, nil
	}
	s.stage(&s.in, StageBuilding)
	return CreateProgress{Created: c, read: true}, true, nil
}

// notCreated handles a create that brought no server: a refusal closes the intent, an unclear answer leaves it open.
func (s *creation) notCreated(ctx context.Context, err error) (CreateProgress, error) {
	p := s.progress()
	if err == nil || errors.Is(err, ErrMaybeApplied) {
		p.Again, p.Unclear, p.Waiting = firstLook, true, "the fate of its create"
		return p, nil
	}
	s.in.Closed = true
	_ = s.save(ctx, s.in) // if this fails the intent stays open, which costs time but no server
	return p, err
}

// others resolves the open intents of other orders of the scope. While one is unclear, nothing new is created.
func (s *creation) others(ctx context.Context) (CreateProgress, error) {
	p := CreateProgress{read: true}
	open, err := s.store.Open(ctx, s.scope)
	if err != nil {
		return p, err
	}
	for _, in := range open {
		if in.Key == s.r.Key {
			continue
		}
		wait, err := s.resolve(ctx, &in)
		if err != nil {
			return p, &OrderBeforeError{Key: in.Key, Err: err}
		}
		if wait > 0 {
			p.Again, p.Waiting = wait, "order "+in.Key+" of the same owner, whose create is not resolved"
			return p, nil
		}
	}
	return p, nil
}

// open continues with a known server: it makes sure that it is the same one and carries the Key, and decides whether to build.
func (s *creation) open(ctx context.Context) (p CreateProgress, build bool, err error) {
	p = s.progress()
	now := time.Now()
	c, build, err := s.c.OpenCreated(ctx, s.in.ID)
	if err != nil {
		p.Unclear = !s.in.BuildBefore.IsZero() && !errors.Is(err, NotFound)
		return p, false, err
	}
	if c.UUID != s.in.UUID && c.UUID != "" && s.in.UUID != "" {
		return p, false, &Error{Kind: Mismatch, Op: "CreateOnce",
			Message: fmt.Sprintf("server %s of key %s is not the one that was created: uuid %s, not %s", s.in.ID, s.in.Key, c.UUID, s.in.UUID)}
	}
	if !s.in.Marked {
		if err := s.adopt(ctx, &s.in); err != nil {
			return p, false, err
		}
	}
	if !build {
		s.stage(&s.in, StageBuilding)
		return CreateProgress{Created: c, read: true}, false, nil
	}
	if left := s.in.BuildBefore.Add(s.o.Settle).Sub(now); !s.in.BuildBefore.IsZero() && left > 0 {
		p.Again, p.Unclear, p.Waiting = min(left, s.pause(s.in.BuildBefore, now)), true, "the fate of its installation"
		return p, false, nil
	}
	s.in.BuildBefore = s.deadline()
	if err := s.save(ctx, s.in); err != nil {
		return p, false, err
	}
	s.stage(&s.in, StageBuildPlanned)
	return p, true, nil
}

// build starts the first installation, without the lock: another order of the owner may go on meanwhile.
func (s *creation) build(ctx context.Context, provider any) (CreateProgress, error) {
	p := s.progress()
	b, ok := As[Builder](provider)
	if !ok {
		return p, unsupported("Build")
	}
	c, err := b.BuildCreated(ctx, s.r, s.in)
	switch {
	case errors.Is(err, ErrMaybeApplied):
		p.Again, p.Unclear, p.Waiting = firstLook, true, "the fate of its installation"
		return p, nil
	case err != nil:
		s.buildRefused(ctx)
		return p, err
	}
	s.stage(&s.in, StageBuilding)
	return CreateProgress{Created: c, read: true}, nil
}

// buildRefused allows the next call to build at once. If it cannot, that call waits until the window is over.
func (s *creation) buildRefused(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	unlock, err := s.store.Lock(ctx, s.scope)
	if err != nil {
		return
	}
	defer unlock()
	in, err := s.store.Load(ctx, s.in.Key)
	if err != nil || !in.BuildBefore.Equal(s.in.BuildBefore) {
		return
	}
	in.BuildBefore = time.Time{}
	_ = s.store.Save(ctx, in)
}
