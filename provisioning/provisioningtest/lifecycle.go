package provisioningtest

import (
	"errors"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

func (h Harness) runLifecycle(t *testing.T) {
	h.run(t, "an order becomes a running server, is suspended, switched off and on, and deleted", h.testLifecycle)
	h.run(t, "an operation is resumed from its reference", h.testResume)
	h.run(t, "an owner is made once", h.testOwner)
	h.run(t, "an invalid order sends nothing", h.testInvalid)
	h.run(t, "a deletion that was cut off is done when the server is gone", h.testDeleteCut)
	h.run(t, "the catalog finds by id and by name, and never guesses", h.testCatalog)
}

func (h Harness) find(t *testing.T, panel Panel, id provisioning.ID) Server {
	t.Helper()
	for _, s := range panel.Servers() {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("the panel has no server %s", id)
	return Server{}
}

func (h Harness) testLifecycle(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	if err := provisioning.Ping(ctx, p); err != nil {
		t.Fatal(err)
	}
	order := panel.Order("order-1")
	c := must[provisioning.Created](t)(provisioning.CreateOnce(ctx, p, &provisioning.MemIntents{}, order, provisioning.CreateOptions{}))
	if c.Password == "" {
		t.Error("a create whose every answer arrived has no password")
	}
	i := must[provisioning.Instance](t)(p.Instance(ctx, c.ID))
	if i.State() != provisioning.StateProvisioning {
		t.Errorf("a server being built shows as %s", i.State())
	}
	wait(t, c.Operation)
	i = must[provisioning.Instance](t)(p.Instance(ctx, c.ID))
	if i.State() != provisioning.StateOnline || i.Hostname != order.Hostname || i.UUID != c.UUID || !i.PrimaryAddress().IsValid() {
		t.Errorf("the server is %s, hostname %q, uuid %q, address %v", i.State(), i.Hostname, i.UUID, i.PrimaryAddress())
	}
	h.testPower(t, panel, p, c.ID)
	h.testSuspension(t, panel, p, c.ID)
	wait(t, must[*provisioning.Operation](t)(provisioning.Delete(ctx, p, c.ID, provisioning.DeleteOptions{})))
	if err := provisioning.WaitGone(ctx, p, c.ID, provisioning.WaitOptions{}); err != nil {
		t.Error(err)
	}
	if len(panel.Servers()) != 0 {
		t.Errorf("left: %+v", panel.Servers())
	}
}

func (h Harness) testPower(t *testing.T, panel Panel, p provisioning.Provider, id provisioning.ID) {
	t.Helper()
	ctx := background(t)
	for _, step := range []struct {
		name    string
		do      func() (*provisioning.Operation, error)
		running bool
	}{
		{"power off", func() (*provisioning.Operation, error) { return provisioning.PowerOff(ctx, p, id) }, false},
		{"start", func() (*provisioning.Operation, error) { return provisioning.Start(ctx, p, id) }, true},
		{"restart", func() (*provisioning.Operation, error) { return provisioning.Restart(ctx, p, id) }, true},
		{"shutdown", func() (*provisioning.Operation, error) { return provisioning.Shutdown(ctx, p, id) }, false},
		{"start again", func() (*provisioning.Operation, error) { return provisioning.Start(ctx, p, id) }, true},
	} {
		op, err := step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		wait(t, op)
		if s := h.find(t, panel, id); s.Running != step.running {
			t.Errorf("after %s the server runs: %v", step.name, s.Running)
		}
		i := must[provisioning.Instance](t)(p.Instance(ctx, id))
		if want := map[bool]provisioning.State{true: provisioning.StateOnline, false: provisioning.StateOffline}[step.running]; i.State() != want {
			t.Errorf("after %s it shows as %s", step.name, i.State())
		}
	}
}

func (h Harness) testSuspension(t *testing.T, panel Panel, p provisioning.Provider, id provisioning.ID) {
	t.Helper()
	ctx := background(t)
	if h.refused(t, "Suspend", func() error { _, err := provisioning.Suspend(ctx, p, id, "unpaid"); return err }) {
		return
	}
	for _, suspended := range []bool{true, true, false, false} { // repeating is harmless
		var op *provisioning.Operation
		var err error
		if suspended {
			op, err = provisioning.Suspend(ctx, p, id, "unpaid")
		} else {
			op, err = provisioning.Unsuspend(ctx, p, id)
		}
		if err != nil {
			t.Fatalf("suspended %v: %v", suspended, err)
		}
		wait(t, op)
		i := must[provisioning.Instance](t)(p.Instance(ctx, id))
		if i.Suspended != suspended || (i.State() == provisioning.StateSuspended) != suspended || h.find(t, panel, id).Suspended != suspended {
			t.Errorf("asked for suspended %v, got %v (%s)", suspended, i.Suspended, i.State())
		}
	}
}

func (h Harness) testResume(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	c := must[provisioning.Created](t)(provisioning.CreateOnce(ctx, p, &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{}))
	op := must[*provisioning.Operation](t)(provisioning.OpenOperation(panel.Provider(nil), c.Ref()))
	if op.Instance() != c.ID || op.Ref() != c.Ref() {
		t.Errorf("resumed %s %q, want %s %q", op.Instance(), op.Ref(), c.ID, c.Ref())
	}
	wait(t, op)
	for _, ref := range []string{"", "nonsense", c.Ref() + "x/y/z", "../1"} {
		if _, err := provisioning.OpenOperation(p, ref); !errors.Is(err, provisioning.Invalid) {
			t.Errorf("ref %q: got %v", ref, err)
		}
	}
}

func (h Harness) testOwner(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	if _, ok := provisioning.As[provisioning.OwnerManager](p); !ok {
		t.Skip("the panel has no owners")
	}
	if h.refused(t, "FindOwner", func() error { _, err := provisioning.FindOwner(ctx, p, "777"); return err }) {
		return
	}
	_, err := provisioning.FindOwner(ctx, p, "777")
	if !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown owner: %v", err)
	}
	o := provisioning.Owner{Ref: "777", Name: "Ann Example", Email: "ann@example.com"}
	made := must[provisioning.OwnerAccount](t)(provisioning.EnsureOwner(ctx, p, o))
	again := must[provisioning.OwnerAccount](t)(provisioning.EnsureOwner(ctx, p, o))
	if !made.Created || made.Password == "" || again.Created || again.ID != made.ID || again.Password != "" {
		t.Errorf("made %+v, then %+v", made, again)
	}
	for _, err := range provisioning.OwnerInstances(ctx, p, "777") {
		t.Errorf("a new owner has a row, or %v", err)
	}
}

func (h Harness) testInvalid(t *testing.T, panel Panel) {
	p := panel.Provider(nil)
	for field, spoil := range map[string]func(*provisioning.CreateRequest){
		"key":       func(r *provisioning.CreateRequest) { r.Key = "Not A Key" },
		"hostname":  func(r *provisioning.CreateRequest) { r.Hostname = "-bad-" },
		"plan":      func(r *provisioning.CreateRequest) { r.Plan = "" },
		"image":     func(r *provisioning.CreateRequest) { r.Image = "" },
		"owner.ref": func(r *provisioning.CreateRequest) { r.Owner.Ref = "" },
		"ipv4":      func(r *provisioning.CreateRequest) { r.IPv4 = 5 },
		"sshKeys":   func(r *provisioning.CreateRequest) { r.SSHKeys = []string{"ssh-ed25519"} },
		"memory":    func(r *provisioning.CreateRequest) { r.Memory = provisioning.Some[provisioning.Bytes](8) },
	} {
		order := panel.Order("order-1")
		spoil(&order)
		_, err := provisioning.CreateOnce(background(t), p, &provisioning.MemIntents{}, order, provisioning.CreateOptions{})
		var e *provisioning.Error
		if !errors.As(err, &e) || e.Kind != provisioning.Invalid || e.Fields[field] == nil {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if n := panel.Count(h.Ops.Create); n != 0 {
		t.Errorf("%d creates were sent", n)
	}
}

func (h Harness) testDeleteCut(t *testing.T, panel Panel) {
	id := panel.AddServer("web-1")
	panel.Inject(Fault{Op: h.Ops.Delete, Do: CutAfter})
	ctx, p := background(t), panel.Provider(nil)
	wait(t, must[*provisioning.Operation](t)(provisioning.Delete(ctx, p, id, provisioning.DeleteOptions{})))
	if err := provisioning.WaitGone(ctx, p, id, provisioning.WaitOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := provisioning.Delete(ctx, p, id, provisioning.DeleteOptions{In: -time.Minute}); !errors.Is(err, provisioning.Invalid) {
		t.Errorf("a negative grace period: %v", err)
	}
	if _, err := provisioning.Delete(ctx, p, id, provisioning.DeleteOptions{}); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func (h Harness) testCatalog(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	order := panel.Order("order-1")
	plan := must[provisioning.PlanInfo](t)(provisioning.FindPlan(ctx, p, order.Plan))
	if byName := must[provisioning.PlanInfo](t)(provisioning.FindPlan(ctx, p, plan.Name)); byName.ID != plan.ID {
		t.Errorf("plan %q is %s by name and %s by id", plan.Name, byName.ID, plan.ID)
	}
	image := must[provisioning.ImageInfo](t)(provisioning.FindImage(ctx, p, plan.ID, order.Image))
	if byName := must[provisioning.ImageInfo](t)(provisioning.FindImage(ctx, p, plan.ID, image.Name)); byName.ID != image.ID {
		t.Errorf("image %q is %s by name and %s by id", image.Name, byName.ID, image.ID)
	}
	if _, err := provisioning.FindPlan(ctx, p, "No Such Plan"); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown plan: %v", err)
	}
	if len(must[[]provisioning.LocationInfo](t)(mustCatalog(t, p).Locations(ctx))) == 0 {
		t.Error("there is no location")
	}
}

func mustCatalog(t *testing.T, p any) provisioning.Catalog {
	t.Helper()
	c, ok := provisioning.As[provisioning.Catalog](p)
	if !ok {
		t.Skip("the panel has no catalog")
	}
	return c
}
