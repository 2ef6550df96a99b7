package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// toyPanel is a panel in memory. Its create allocates a server without a name, which a second call installs, as on VirtFusion; with installs set, create stores the Key and
// installs, as on SolusVM 2. What time does is computed when somebody looks.
type toyPanel struct {
	mu        sync.Mutex
	installs  bool
	buildTime time.Duration
	servers   []*toyServer
	made      int
	late      []lateCommit
	faults    map[string][]toyFault
	sent      map[string][]time.Time // requests that reached the panel, by operation
}

type toyServer struct {
	id          provisioning.ID
	uuid        string
	owner, name string
	builds      int
	readyAt     time.Time
}

type lateCommit struct {
	at time.Time
	do func(at time.Time)
}

// toyFault is what happens to one request. The zero value is an answer as it should be.
type toyFault struct {
	hold    time.Duration // the process is stopped before it sends
	err     error         // the answer
	commits bool          // it is carried out all the same
	late    time.Duration // and only after that time
	slow    time.Duration // the answer takes that long
	killed  bool          // the process dies: after the request when commits is set, before it otherwise
}

var errKilled = errors.New("killed")

// The faults of writes and reads.
func refused() toyFault {
	return toyFault{err: &provisioning.Error{Panel: "toy", Kind: provisioning.Capacity, Status: 422, Message: "no room"}}
}
func broken() toyFault {
	return toyFault{err: &provisioning.Error{Panel: "toy", Kind: provisioning.Unavailable, Status: 503}}
}
func lost() toyFault {
	return toyFault{err: &provisioning.Error{Panel: "toy", Kind: provisioning.Unavailable, Status: 504, MaybeApplied: true}}
}
func lostAfter() toyFault             { f := lost(); f.commits = true; return f }
func lateBy(d time.Duration) toyFault { f := lost(); f.late = d; return f }
func killedBefore() toyFault          { return toyFault{killed: true} }
func killedAfter() toyFault           { return toyFault{killed: true, commits: true} }

// inject lines up faults for the next requests of an operation: plan, create, mark, build, find, open.
func (t *toyPanel) inject(op string, faults ...toyFault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults == nil {
		t.faults = map[string][]toyFault{}
	}
	t.faults[op] = append(t.faults[op], faults...)
}

// request carries out one request. It is not sent when ctx has ended or before, unless zero, has passed.
func (t *toyPanel) request(ctx context.Context, op string, before time.Time, do func(at time.Time)) error {
	t.mu.Lock()
	var f toyFault
	if line := t.faults[op]; len(line) > 0 {
		f, t.faults[op] = line[0], line[1:]
	}
	t.mu.Unlock()
	if f.hold > 0 {
		time.Sleep(f.hold)
	}
	if err := ctx.Err(); err != nil {
		return &provisioning.Error{Panel: "toy", Op: op, Kind: provisioning.Unavailable, Err: err}
	}
	if !before.IsZero() && !time.Now().Before(before) {
		return &provisioning.Error{Panel: "toy", Op: op, Kind: provisioning.Unavailable, Message: "not sent: its time has passed"}
	}
	if f.killed && !f.commits {
		panic(errKilled)
	}
	if f.slow > 0 {
		defer time.Sleep(f.slow)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	if t.sent == nil {
		t.sent = map[string][]time.Time{}
	}
	t.sent[op] = append(t.sent[op], time.Now())
	switch {
	case f.late > 0:
		t.late = append(t.late, lateCommit{time.Now().Add(f.late), do})
	case f.err == nil || f.commits:
		do(time.Now())
	}
	if f.killed {
		panic(errKilled)
	}
	return f.err
}

func (t *toyPanel) catchUp() {
	due := func(l lateCommit) bool { return !l.at.After(time.Now()) }
	for _, l := range t.late {
		if due(l) {
			l.do(l.at)
		}
	}
	t.late = slices.DeleteFunc(t.late, due)
}

// add makes a server of another making. builds says whether it was ever installed.
func (t *toyPanel) add(owner, name string, builds int) provisioning.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.allocate(owner, name, builds).id
}

func (t *toyPanel) allocate(owner, name string, builds int) *toyServer {
	t.made++
	s := &toyServer{id: provisioning.ID(fmt.Sprint(t.made)), uuid: fmt.Sprintf("uuid-%d", t.made), owner: owner, name: name, builds: builds}
	t.servers = append(t.servers, s)
	return s
}

func (t *toyPanel) remove(id provisioning.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.servers = slices.DeleteFunc(t.servers, func(s *toyServer) bool { return s.id == id })
}

func (t *toyPanel) rename(id provisioning.ID, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.server(id).name = name
}

func (t *toyPanel) server(id provisioning.ID) *toyServer {
	for _, s := range t.servers {
		if s.id == id {
			return s
		}
	}
	return nil
}

// all is the truth, late commits included.
func (t *toyPanel) all() []toyServer {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	var all []toyServer
	for _, s := range t.servers {
		all = append(all, *s)
	}
	return all
}

// count says how many requests of the operation reached the panel.
func (t *toyPanel) count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.sent[op])
}

// toyProvider implements the capabilities that an order needs.
type toyProvider struct{ panel *toyPanel }

func (t *toyProvider) Instances(ctx context.Context) iter.Seq2[provisioning.Summary, error] {
	return func(yield func(provisioning.Summary, error) bool) {
		for _, s := range t.panel.all() {
			if ctx.Err() != nil || !yield(provisioning.Summary{ID: s.id, UUID: s.uuid, Name: s.name, Owner: s.owner}, nil) {
				return
			}
		}
	}
}

func (t *toyProvider) Instance(_ context.Context, id provisioning.ID) (provisioning.Instance, error) {
	for _, s := range t.panel.all() {
		if s.id == id {
			return s.instance(), nil
		}
	}
	return provisioning.Instance{}, noServer(id)
}

func noServer(id provisioning.ID) error {
	return &provisioning.Error{Panel: "toy", Op: "getServer", Kind: provisioning.NotFound, Status: 404, Message: "there is no server " + string(id)}
}

func (s *toyServer) instance() provisioning.Instance {
	i := provisioning.Instance{ID: s.id, UUID: s.uuid, Name: s.name, Owner: s.owner, Phase: provisioning.PhaseReady, Power: provisioning.PowerRunning}
	if s.builds == 0 {
		i.Phase, i.Power = provisioning.PhaseAllocated, provisioning.PowerUnknown
	} else if time.Now().Before(s.readyAt) {
		i.Phase = provisioning.PhaseBuilding
	}
	return i
}

func (t *toyProvider) CreateScope(r provisioning.CreateRequest) (string, error) {
	return "toy.example/owner/" + r.Owner.Ref, nil
}

func (t *toyProvider) PlanCreate(ctx context.Context, r provisioning.CreateRequest) (in provisioning.Intent, err error) {
	in.Owner = r.Owner.Ref
	var carry []*toyServer
	err = t.panel.request(ctx, "plan", time.Time{}, func(time.Time) {
		for _, s := range t.panel.servers {
			if s.owner == r.Owner.Ref {
				in.Before = append(in.Before, s.id)
				if s.name == r.Key {
					carry = append(carry, s)
				}
			}
		}
	})
	switch {
	case len(carry) == 1:
		in.ID, in.UUID = carry[0].id, carry[0].uuid
	case len(carry) > 1:
		return in, &provisioning.ConflictError{Key: r.Key, Candidates: []provisioning.ID{carry[0].id, carry[1].id}}
	}
	return in, err
}

func (t *toyProvider) Create(ctx context.Context, r provisioning.CreateRequest, in provisioning.Intent) (c provisioning.Created, err error) {
	var made *toyServer
	err = t.panel.request(ctx, "create", in.SendBefore, func(at time.Time) {
		made = t.panel.allocate(r.Owner.Ref, "", 0)
		if t.panel.installs {
			made.name, made.builds, made.readyAt = r.Key, 1, at.Add(t.panel.buildTime)
		}
	})
	if err != nil || made == nil {
		return provisioning.Created{}, err
	}
	c = provisioning.Created{ID: made.id, UUID: made.uuid}
	if t.panel.installs {
		c.Password, c.Operation = "first-password", t.installation(made.id)
	}
	return c, nil
}

func (t *toyProvider) MarkCreated(ctx context.Context, in provisioning.Intent) error {
	return t.panel.request(ctx, "mark", time.Time{}, func(time.Time) {
		if s := t.panel.server(in.ID); s != nil {
			s.name = in.Key
		}
	})
}

func (t *toyProvider) FindCreated(ctx context.Context, in provisioning.Intent) (found []provisioning.Instance, err error) {
	err = t.panel.request(ctx, "find", time.Time{}, func(time.Time) {
		var fresh []provisioning.Instance
		for _, s := range t.panel.servers {
			switch {
			case s.owner != in.Owner:
			case s.name == in.Key:
				found = append(found, s.instance())
			case s.name == "" && s.builds == 0 && !t.panel.installs && !slices.Contains(in.Before, s.id):
				fresh = append(fresh, s.instance())
			}
		}
		if len(found) == 0 {
			found = fresh
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (t *toyProvider) OpenCreated(ctx context.Context, id provisioning.ID) (c provisioning.Created, build bool, err error) {
	err = t.panel.request(ctx, "open", time.Time{}, func(time.Time) {
		if s := t.panel.server(id); s != nil {
			c, build = provisioning.Created{ID: s.id, UUID: s.uuid}, s.builds == 0
		}
	})
	if err == nil && c.ID == "" {
		err = noServer(id)
	}
	if err != nil {
		return provisioning.Created{}, false, err
	}
	if !build {
		c.Operation = t.installation(id)
	}
	return c, build, nil
}

func (t *toyProvider) BuildCreated(ctx context.Context, _ provisioning.CreateRequest, in provisioning.Intent) (provisioning.Created, error) {
	err := t.panel.request(ctx, "build", in.BuildBefore, func(at time.Time) {
		if s := t.panel.server(in.ID); s != nil {
			s.builds++
			s.readyAt = at.Add(t.panel.buildTime)
		}
	})
	if err != nil {
		return provisioning.Created{}, err
	}
	return provisioning.Created{ID: in.ID, UUID: in.UUID, Password: "first-password", Operation: t.installation(in.ID)}, nil
}

func (t *toyProvider) installation(id provisioning.ID) *provisioning.Operation {
	return provisioning.NewOperation(provisioning.OperationSpec{Instance: id, Ref: "install:" + string(id), Look: func(ctx context.Context) (provisioning.Look, error) {
		i, err := t.Instance(ctx, id)
		return provisioning.Look{Done: i.Phase == provisioning.PhaseReady, Percent: -1, State: string(i.Phase)}, err
	}})
}
