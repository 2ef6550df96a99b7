package provisioningtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// runManaging covers what billing systems ask of a server that exists. Cases of capabilities that the provider does not have are skipped; the declared ones are checked elsewhere.
func (h Harness) runManaging(t *testing.T) {
	h.run(t, "a server is renamed", h.testRename)
	h.run(t, "a server is reinstalled, and only the new installation ends the wait", h.testRebuild)
	h.run(t, "a reinstallation whose answer is lost may have been applied", h.testRebuildLost)
	h.run(t, "a server gets another plan", h.testChangePlan)
	h.run(t, "the root password is reset", h.testRootPassword)
	h.run(t, "a console is opened on the panel's own host", h.testConsole)
	h.run(t, "a customer gets into the panel", h.testPanelAccess)
	h.run(t, "usage is read, and never negative", h.testUsage)
	h.run(t, "an address is added and taken back", h.testAddresses)
	h.run(t, "a snapshot is made, reverted to and removed", h.testSnapshots)
	h.run(t, "backups are listed", h.testBackups)
	h.run(t, "the rescue system is entered and left", h.testRescue)
	h.run(t, "all servers are listed for import", h.testImport)
	h.run(t, "verbs refuse ids that are not the panel's", h.testMalformedIDs)
}

func capability[C any](t *testing.T, p any) C {
	t.Helper()
	c, ok := provisioning.As[C](p)
	if !ok {
		t.Skip("the panel cannot do it")
	}
	return c
}

func (h Harness) testRename(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Renamer](t, p)
	id := panel.AddServer("web-1")
	if err := provisioning.Rename(ctx, p, id, "web-one"); err != nil {
		t.Fatal(err)
	}
	if i := must[provisioning.Instance](t)(p.Instance(ctx, id)); i.Name != "web-one" {
		t.Errorf("the name is %q", i.Name)
	}
	if err := provisioning.Rename(ctx, p, h.UnknownID, "web-one"); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown server: %v", err)
	}
}

func (h Harness) testRebuild(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Rebuilder](t, p)
	id := panel.AddServer("web-1")
	pass(t, time.Minute)
	built := must[provisioning.Rebuilt](t)(provisioning.Rebuild(ctx, p, id, provisioning.RebuildRequest{Image: panel.Order("order-1").Image, Hostname: "web-2.example.com"}))
	if look := must[provisioning.Look](t)(built.Look(ctx)); look.Done {
		t.Error("the reinstallation is said to be done as soon as it is asked for")
	}
	op := must[*provisioning.Operation](t)(provisioning.OpenOperation(panel.Provider(nil), built.Ref()))
	wait(t, built.Operation)
	wait(t, op)
	s, i := h.find(t, panel, id), must[provisioning.Instance](t)(p.Instance(ctx, id))
	if s.Builds != 2 || i.Phase != provisioning.PhaseReady || i.Hostname != "web-2.example.com" {
		t.Errorf("%d installations, phase %s, hostname %q", s.Builds, i.Phase, i.Hostname)
	}
}

func (h Harness) testRebuildLost(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Rebuilder](t, p)
	id := panel.AddServer("web-1")
	panel.Inject(Fault{Op: h.Ops.Rebuild, Do: CutAfter})
	_, err := provisioning.Rebuild(ctx, p, id, provisioning.RebuildRequest{Image: panel.Order("order-1").Image})
	if !errors.Is(err, provisioning.ErrMaybeApplied) {
		t.Errorf("got %v", err)
	}
	if n := h.find(t, panel, id).Builds; n != 2 {
		t.Errorf("%d installations", n)
	}
}

func (h Harness) testChangePlan(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Resizer](t, p)
	id := panel.AddServer("web-1")
	before := must[provisioning.Instance](t)(p.Instance(ctx, id))
	plans := must[[]provisioning.PlanInfo](t)(provisioning.Plans(ctx, p))
	larger := slices.IndexFunc(plans, func(i provisioning.PlanInfo) bool { return i.Enabled && i.Memory.Or(0) > before.Memory.Or(0) })
	if larger < 0 {
		t.Fatal("the panel has no larger plan")
	}
	op := must[*provisioning.Operation](t)(provisioning.Resize(ctx, p, id, provisioning.ResizeRequest{Plan: plans[larger].ID}))
	wait(t, op)
	after := must[provisioning.Instance](t)(p.Instance(ctx, id))
	if after.Memory != plans[larger].Memory && len(op.Deferred()) == 0 {
		t.Errorf("the server has %v, the plan %v, and nothing is deferred", after.Memory, plans[larger].Memory)
	}
	for field, r := range map[string]provisioning.ResizeRequest{
		"nothing":           {},
		"8 bytes of memory": {Memory: provisioning.Some[provisioning.Bytes](8)},
		"an unknown id":     {Plan: "no plan"},
	} {
		if _, err := provisioning.Resize(ctx, p, id, r); !errors.Is(err, provisioning.Invalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func (h Harness) testRootPassword(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.RootPasswordResetter](t, p)
	reset := must[provisioning.PasswordReset](t)(provisioning.ResetRootPassword(ctx, p, panel.AddServer("web-1"), provisioning.PasswordOptions{}))
	wait(t, reset.Operation)
	if reset.Password == "" {
		t.Error("the password is not told")
	}
	masked(t, reset, reset.Password)
}

func masked(t *testing.T, v any, secrets ...provisioning.Secret) {
	t.Helper()
	for _, secret := range secrets {
		for _, format := range []string{"%v", "%+v", "%#v"} {
			if secret != "" && strings.Contains(fmt.Sprintf(format, v), secret.Reveal()) {
				t.Errorf("%s prints a secret", format)
			}
		}
	}
}

func (h Harness) testConsole(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.ConsoleOpener](t, p)
	c := must[provisioning.Console](t)(provisioning.OpenConsole(ctx, p, panel.AddServer("web-1")))
	u, err := url.Parse(c.WebSocket.Reveal())
	if err != nil || u.Scheme != "wss" || u.Host != panel.Host() {
		t.Error("the socket is not a wss address of the panel's host")
	}
	if c.Password == "" {
		t.Error("there is no password")
	}
	masked(t, c, c.WebSocket, c.Password)
}

func (h Harness) testPanelAccess(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.PanelAccess](t, p)
	owner := panel.Order("order-1").Owner.Ref
	for _, id := range []provisioning.ID{"", panel.AddServer("web-1")} {
		link := must[provisioning.Link](t)(provisioning.LoginLink(ctx, p, owner, id))
		u, err := url.Parse(link.URL.Reveal())
		if err != nil || u.Scheme != "https" || u.Host != panel.Host() {
			t.Error("the link does not lead to the panel")
		}
		if !link.Expires.After(time.Now()) {
			t.Errorf("the link ends at %v", link.Expires)
		}
		masked(t, link, link.URL)
	}
	if password := must[provisioning.Secret](t)(provisioning.ResetPanelPassword(ctx, p, owner)); password == "" {
		t.Error("the password is not told")
	}
	if _, err := provisioning.LoginLink(ctx, p, "987654", ""); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown owner: %v", err)
	}
}

func (h Harness) testUsage(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.UsageReader](t, p)
	u := must[provisioning.Usage](t)(provisioning.ReadUsage(ctx, p, panel.AddServer("web-1")))
	if used, ok := u.Traffic.Used.Get(); ok && used < 0 {
		t.Errorf("used %v", used)
	}
	if left, ok := u.Traffic.Left(); ok && left < 0 {
		t.Errorf("left %v", left)
	}
	if _, err := provisioning.ReadUsage(ctx, p, h.UnknownID); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown server: %v", err)
	}
}

func (h Harness) testAddresses(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.AddressManager](t, p)
	id := panel.AddServer("web-1")
	before := must[[]provisioning.Address](t)(provisioning.Addresses(ctx, p, id))
	must[[]provisioning.Address](t)(provisioning.AddIPv4(ctx, p, id, 1))
	pass(t, time.Minute)
	after := must[[]provisioning.Address](t)(provisioning.Addresses(ctx, p, id))
	if len(after) != len(before)+1 {
		t.Fatalf("before %v, after %v", before, after)
	}
	var added []netip.Addr
	for _, a := range after {
		if !slices.Contains(before, a) {
			added = append(added, a.Prefix.Addr())
		}
	}
	if err := provisioning.RemoveAddresses(ctx, p, id, added); err != nil {
		t.Fatal(err)
	}
	pass(t, time.Minute)
	if last := must[[]provisioning.Address](t)(provisioning.Addresses(ctx, p, id)); !slices.Equal(last, before) {
		t.Errorf("before %v, at the end %v", before, last)
	}
	if _, err := provisioning.AddIPv4(ctx, p, id, 0); !errors.Is(err, provisioning.Invalid) {
		t.Errorf("no address: %v", err)
	}
	panel.Inject(Fault{Op: h.Ops.AddIPv4, Do: CutAfter})
	if _, err := provisioning.AddIPv4(ctx, p, id, 1); !errors.Is(err, provisioning.ErrMaybeApplied) {
		t.Errorf("a lost answer: %v", err)
	}
}

func (h Harness) testSnapshots(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Snapshotter](t, p)
	id := panel.AddServer("web-1")
	wait(t, must[*provisioning.Operation](t)(provisioning.CreateSnapshot(ctx, p, id, "before the change")))
	all := must[[]provisioning.Snapshot](t)(provisioning.Snapshots(ctx, p, id))
	if len(all) != 1 || all[0].Name != "before the change" {
		t.Fatalf("snapshots %v", all)
	}
	wait(t, must[*provisioning.Operation](t)(provisioning.RevertSnapshot(ctx, p, id, all[0].ID)))
	wait(t, must[*provisioning.Operation](t)(provisioning.DeleteSnapshot(ctx, p, id, all[0].ID)))
	if left := must[[]provisioning.Snapshot](t)(provisioning.Snapshots(ctx, p, id)); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := provisioning.DeleteSnapshot(ctx, p, id, "987654"); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown snapshot: %v", err)
	}
}

func (h Harness) testBackups(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.BackupLister](t, p)
	if all := must[[]provisioning.Backup](t)(provisioning.Backups(ctx, p, panel.AddServer("web-1"))); len(all) != 0 {
		t.Errorf("a new server has backups: %v", all)
	}
	if _, err := provisioning.Backups(ctx, p, h.UnknownID); !errors.Is(err, provisioning.NotFound) {
		t.Errorf("an unknown server: %v", err)
	}
}

func (h Harness) testRescue(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	capability[provisioning.Rescuer](t, p)
	id := panel.AddServer("web-1")
	wait(t, must[provisioning.Rescue](t)(provisioning.EnterRescue(ctx, p, id)).Operation)
	if _, ok := provisioning.As[provisioning.RescueLeaver](p); ok {
		wait(t, must[*provisioning.Operation](t)(provisioning.LeaveRescue(ctx, p, id)))
	}
}

func (h Harness) testImport(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	want := map[provisioning.ID]bool{panel.AddServer("web-1"): true, panel.AddServer("web-2"): true}
	for s, err := range p.Instances(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		i := must[provisioning.Instance](t)(p.Instance(ctx, s.ID))
		if !want[s.ID] || i.UUID != s.UUID || i.Name != s.Name || i.Owner != s.Owner && s.Owner != "" || len(i.Addresses) == 0 {
			t.Errorf("row %+v, server %+v", s, i)
		}
		delete(want, s.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func (h Harness) testMalformedIDs(t *testing.T, panel Panel) {
	ctx, p := background(t), panel.Provider(nil)
	for _, id := range []provisioning.ID{"", "0", "-1", "007", "+7", "7/../8", "seven", "99999999999999999999"} {
		_, start := provisioning.Start(ctx, p, id)
		_, suspend := provisioning.Suspend(ctx, p, id, "")
		_, del := provisioning.Delete(ctx, p, id, provisioning.DeleteOptions{})
		for verb, err := range map[string]error{"start": start, "suspend": suspend, "delete": del} {
			if !errors.Is(err, provisioning.Invalid) {
				t.Errorf("%s of %q: %v", verb, id, err)
			}
		}
	}
}

// testDeletedBetweenPages removes servers while the walk that looks for a lost create is between two pages: the rows shift, and a careless walk would not see the new server.
func (h Harness) testDeletedBetweenPages(t *testing.T, panel Panel) {
	var old []provisioning.ID
	for range h.PageSize + 10 {
		old = append(old, panel.AddServer("old"))
	}
	panel.Inject(Fault{Op: h.Ops.Create, Do: CutAfter})
	removed := 0
	between := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet && r.URL.Query().Get("page") == "2" && panel.Count(h.Ops.Create) > 0 && removed < 2 {
				p := panel.Provider(nil)
				must[*provisioning.Operation](t)(provisioning.Delete(background(t), p, old[removed], provisioning.DeleteOptions{}))
				if err := provisioning.WaitGone(background(t), p, old[removed], provisioning.WaitOptions{}); err != nil {
					t.Error(err)
				}
				removed++
			}
			return next.RoundTrip(r)
		})
	}
	c := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), panel.Provider(between), &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{}))
	wait(t, c.Operation)
	carry := 0
	for _, s := range panel.Servers() {
		if s.Key == "order-1" {
			carry++
		}
	}
	if carry != 1 || len(panel.Servers()) != len(old)-removed+1 {
		t.Errorf("%d servers carry the key, %d servers in all, %d were removed", carry, len(panel.Servers()), removed)
	}
}
