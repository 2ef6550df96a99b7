package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// newRecords makes a record-keeping panel whose user 1 is the customer 1001.
func newRecords(t *testing.T, opts ...ospabpaneltest.Option) *ospabpaneltest.Panel {
	p := ospabpaneltest.New(t, opts...)
	p.AddUser("ada")
	return p
}

var customers = ospabpanel.UserTable{"1001": 1}

func newRegistrar(t *testing.T, p *ospabpaneltest.Panel, users ospabpanel.UserResolver) *ospabpanel.Registrar {
	t.Helper()
	s, err := ospabpanel.New(p.URL(), p.Key(), ospabpanel.WithHTTPClient(p.HTTPClient()))
	require.NoError(t, err)
	r, err := ospabpanel.NewRegistrar(s, users)
	require.NoError(t, err)
	return r
}

func newFinder(t *testing.T, p *ospabpaneltest.Panel) *ospabpanel.FindingRegistrar {
	t.Helper()
	f, err := ospabpanel.NewFindingRegistrar(newRegistrar(t, p, customers), func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return ospabpanel.NewUserClient(p.URL(), user, ospabpanel.StaticToken(p.Token(int64(user))), ospabpanel.WithHTTPClient(p.HTTPClient()))
	})
	require.NoError(t, err)
	return f
}

func withRegistrar(r provisioning.Registrar) option {
	return func(c *engine.Config) { c.Registrars = map[string]provisioning.Registrar{"records": r} }
}

func recorded(key string) engine.Service {
	o := order(key)
	o.Registrars = []string{"records"}
	return o
}

// record waits for a state of the service's record.
func record(t *testing.T, e *engine.Engine, key string, want func(engine.TargetStatus) bool) (r engine.TargetStatus) {
	t.Helper()
	untilStatus(t, e, key, func(s engine.Status) bool {
		for _, target := range s.Targets {
			if target.Registrar {
				r = target
			}
		}
		return r.Registrar && want(r)
	})
	return r
}

func inState(state engine.State) func(engine.TargetStatus) bool {
	return func(r engine.TargetStatus) bool { return r.State == state }
}

// creates counts the records that were asked for.
func creates(p *ospabpaneltest.Panel) (n int) { return syncs(p, `"action":"create"`) }

func syncs(p *ospabpaneltest.Panel, what string) (n int) {
	for _, r := range p.Requests() {
		if strings.Contains(string(r.Body), what) {
			n++
		}
	}
	return n
}

func TestARecordFollowsItsServer(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		s := ready(t, e, "order-1")
		row := func() ospabpaneltest.Record {
			require.Len(t, records.Records(), 1)
			return records.Records()[0]
		}
		eventually(t, func() bool { return row().Status == "running" }, func() string { return row().Status })
		assert.Equal(t, []any{"order-1", int64(1), int64(1024), int64(20), int64(1)}, []any{row().Name, row().UserID, row().MemoryMB, row().DiskGB, row().CPUCores})

		id, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.PowerOff})
		require.NoError(t, err)
		c, err := e.WaitCommand(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, engine.CommandDone, c.State, c.Message)
		eventually(t, func() bool { return row().Status == "stopped" }, func() string { return row().Status })

		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		eventually(t, func() bool { return row().Status == "suspended" }, func() string { return row().Status })
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		until(t, e, "order-1", engine.Gone)
		record(t, e, "order-1", inState(engine.Gone))
		assert.Empty(t, records.Records())
		_ = s
	})
}

func TestH01H19ARecordPanelThatIsDownFailsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Refuse, Times: -1})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		until(t, e, "order-1", engine.Ready)
		s, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.False(t, s.AsDesired)
		assert.Regexp(t, "^records: ", s.Message, "nothing is wrong with the server")
		records.Faults().Clear()
		ready(t, e, "order-1")
		assert.Len(t, records.Records(), 1)

		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 503, Times: 2})
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		record(t, e, "order-1", inState(engine.Gone))
		assert.Empty(t, records.Records())
	})
}

func TestH07H71ALostAnswerOfARegistrarThatCannotSearchIsForAPerson(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		r := record(t, e, "order-1", inState(engine.Uncertain))
		assert.Contains(t, r.Message, "SettleRecord")
		var listed []string
		for u, err := range e.Uncertain(t.Context()) {
			require.NoError(t, err)
			listed = append(listed, u.Key+" on "+u.Panel)
		}
		assert.Equal(t, []string{"order-1 on records"}, listed)

		before := len(records.Requests())
		err := e.Resync(t.Context(), "order-1")
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		until(t, e, "order-1", engine.Ready)
		quiet(t, db)
		assert.Len(t, records.Requests(), before)

		require.NoError(t, e.SettleRecord(t.Context(), "order-1", "records", provisioning.RecordID(strconv.FormatInt(records.Records()[0].ID, 10))))
		ready(t, e, "order-1")
		assert.Equal(t, 1, creates(records))
		assert.Equal(t, "suspended", records.Records()[0].Status)
	})
}

func TestH08ALostAnswerIsFoundBySearching(t *testing.T) {
	for name, test := range map[string]struct {
		fault   provisioningtest.Fault
		creates int
	}{
		"committed":             {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter}, 1},
		"500 after the commit":  {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.AnswerLate, Status: 500}, 1},
		"success without an id": {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.AnswerLate, Status: 200, Body: `{"status":"success"}`}, 1},
		"committed late":        {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CommitLate, Late: 400 * time.Millisecond}, 1},
		"not committed":         {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutBefore}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel, records := newPanel(t), newRecords(t)
				records.Inject(test.fault)
				e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
				require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
				untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
				assert.Equal(t, test.creates, creates(records))
				require.Len(t, records.Records(), 1)
				assert.Equal(t, "running", records.Records()[0].Status)
			})
		})
	}
}

func TestH08TwoMatchingRecordsAreForAPerson(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		for range 2 {
			records.AddRecord(ospabpaneltest.Record{UserID: 1, Name: "order-1", Status: "creating", CPUCores: 1, MemoryMB: 1024, DiskGB: 20, OS: "Debian 12 (Bookworm)", Hypervisor: "proxmox"})
		}
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutBefore})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		s := recorded("order-1")
		s.Record.Image = "Debian 12 (Bookworm)"
		require.NoError(t, e.Apply(t.Context(), s))
		record(t, e, "order-1", func(r engine.TargetStatus) bool {
			return r.State == engine.Uncertain && strings.Contains(r.Message, "2 records")
		})
		quiet(t, db)
		assert.Len(t, records.Records(), 2)
		assert.Equal(t, 1, creates(records))
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records"})
		require.NoError(t, err)
		assert.Empty(t, plan.Differences, "one of the two may be its record: neither is a stray")
		require.Len(t, plan.Incomplete, 2)
		assert.Contains(t, plan.Incomplete[0], "may be that of order-1, which is uncertain")
	})
}

func TestH08ARecordIsSentTwiceAtMost(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutBefore, Times: 2})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		record(t, e, "order-1", func(r engine.TargetStatus) bool {
			return strings.Contains(r.Message, "2 records were sent, and none is there")
		})
		require.NoError(t, e.SettleRecord(t.Context(), "order-1", "records", ""))
		ready(t, e, "order-1")
		assert.Equal(t, 3, creates(records))
		assert.Len(t, records.Records(), 1)
	})
}

func TestH26ACustomerWithoutAPanelUserWaits(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		var loggedIn atomic.Bool
		users := resolver(func(ctx context.Context, ref string) (ospabpanel.PanelUserID, error) {
			if !loggedIn.Load() {
				return ospabpanel.UserTable{}.PanelUserID(ctx, ref)
			}
			return customers.PanelUserID(ctx, ref)
		})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, users))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		r := record(t, e, "order-1", func(r engine.TargetStatus) bool {
			return strings.Contains(r.Message, "waiting for the customer's user")
		})
		assert.Equal(t, engine.Waiting, r.State)
		assert.Zero(t, r.Failures, "it is no failure, and never becomes a dead letter")
		until(t, e, "order-1", engine.Ready)
		assert.Zero(t, creates(records))
		loggedIn.Store(true)
		ready(t, e, "order-1")
		assert.Equal(t, 1, creates(records))
		assert.Equal(t, int64(1), records.Records()[0].UserID)
	})
}

type resolver func(context.Context, string) (ospabpanel.PanelUserID, error)

func (f resolver) PanelUserID(ctx context.Context, ref string) (ospabpanel.PanelUserID, error) {
	return f(ctx, ref)
}

func TestH51H58APermanentRefusalIsADeadLetterAndHoldsUpNobody(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		bad := recorded("bad")
		bad.Record.Memory = 7 // not a whole number of MB: refused before it is sent
		require.NoError(t, e.Apply(t.Context(), bad))
		require.NoError(t, e.Apply(t.Context(), recorded("good")))
		ready(t, e, "good")
		dead := record(t, e, "bad", inState(engine.Dead))
		assert.Contains(t, dead.Message, "memory")
		until(t, e, "bad", engine.Ready)
		var letters []string
		for d, err := range e.DeadLetters(t.Context()) {
			require.NoError(t, err)
			letters = append(letters, d.Key+" on "+d.Panel)
		}
		assert.Equal(t, []string{"bad on records"}, letters)
		bad.Record.Memory = provisioning.GiB
		require.NoError(t, e.Apply(t.Context(), bad))
		ready(t, e, "bad")
		assert.Len(t, records.Records(), 2)
	})
}

func TestADeadLetterIsSentAgainByResync(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 400, Body: `{"error":"Bad Request","message":"Missing required fields"}`})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		dead := record(t, e, "order-1", inState(engine.Dead))
		assert.Contains(t, dead.Message, "Missing required fields")
		quiet(t, db)
		assert.Equal(t, 1, creates(records))
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Equal(t, 2, creates(records))
	})
}

func TestAProbeRatherRepeatsAStatusThanRegisters(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		c := config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers)))
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ready(t, e, "order-1")
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 401, Times: -1})
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		eventually(t, func() bool { return paused(t, e, "records") == "credentials" }, func() string { return paused(t, e, "records") })
		require.NoError(t, e.Apply(t.Context(), recorded("order-2")))
		until(t, e, "order-2", engine.Ready)
		probes := len(records.Requests())
		eventually(t, func() bool { return len(records.Requests()) > probes+3 }, func() string { return "nothing is tried" })
		assert.Equal(t, 1, creates(records))
		records.Faults().Clear()
		ready(t, e, "order-1")
		ready(t, e, "order-2")
	})
}

func TestH41H54AWrongKeyPausesThePanelAndLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		var key atomic.Value
		key.Store(provisioning.Secret("another-key-that-is-long-enough-0123456789"))
		s, err := ospabpanel.NewWithKeySource(records.URL(), func(context.Context) (provisioning.Secret, error) { return key.Load().(provisioning.Secret), nil },
			ospabpanel.WithHTTPClient(records.HTTPClient()))
		require.NoError(t, err)
		r, err := ospabpanel.NewRegistrar(s, customers)
		require.NoError(t, err)
		c := config(db, newProvider(t, panel), withRegistrar(r))
		c.Timings.Probe, c.Timings.RetryFirst = 500*time.Millisecond, 250*time.Millisecond
		e := start(t, c)
		const orders = 20
		for i := range orders {
			require.NoError(t, e.Apply(t.Context(), recorded(fmt.Sprintf("order-%d", i))))
		}
		for i := range orders {
			until(t, e, fmt.Sprintf("order-%d", i), engine.Ready)
		}
		assert.Equal(t, "credentials", paused(t, e, "records"))
		before, began := len(records.Requests()), time.Now()
		eventually(t, func() bool { return len(records.Requests()) >= before+3 }, func() string { return "nothing is tried" })
		assert.GreaterOrEqual(t, time.Since(began), c.Timings.Probe*3/2, "one request each probe interval; the first may have waited for a worker")
		key.Store(records.Key())
		for i := range orders {
			ready(t, e, fmt.Sprintf("order-%d", i))
		}
		assert.Len(t, records.Records(), orders)
		assert.Empty(t, paused(t, e, "records"))
	})
}

func paused(t *testing.T, e *engine.Engine, panel string) string {
	t.Helper()
	all, err := e.Panels(t.Context())
	require.NoError(t, err)
	for _, p := range all {
		if p.Name == panel {
			return p.Cause
		}
	}
	return "unknown panel"
}

func TestH50AnEndpointThatIsGonePausesThePanelAndKeepsTheIds(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ready(t, e, "order-1")
		before := record(t, e, "order-1", inState(engine.Ready))
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: http.StatusNotFound, Body: "404 page not found", Times: -1})
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		eventually(t, func() bool { return paused(t, e, "records") == "address" }, func() string { return paused(t, e, "records") })
		during := record(t, e, "order-1", func(engine.TargetStatus) bool { return true })
		assert.Equal(t, before.RecordID, during.RecordID)
		assert.Contains(t, during.Paused, "address")
		records.Faults().Clear()
		ready(t, e, "order-1")
		assert.Equal(t, "suspended", records.Records()[0].Status)
		assert.Equal(t, 1, creates(records))
	})
}

func TestH55H56AStatusIsSentWhenItChangesAndNotMoreOftenThanAllowed(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		provider := &seen{Provider: newProvider(t, panel)}
		c := config(db, provider, withRegistrar(newRegistrar(t, records, customers)))
		c.Timings.RecordEvery = time.Second
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		s := ready(t, e, "order-1")
		eventually(t, func() bool { return records.Records()[0].Status == "running" }, func() string { return records.Records()[0].Status })
		before := syncs(records, `"action":"update"`)
		for range 1000 {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1"}))
		}
		for range 20 {
			notify(t, e, s.Instance.ID)
		}
		for i := range 20 {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Reason: fmt.Sprint(i)}))
		}
		ready(t, e, "order-1")
		assert.Equal(t, before, syncs(records, `"action":"update"`), "nothing has changed")

		began := time.Now()
		for i := range 21 {
			power := []provisioning.PowerState{provisioning.PowerStopped, provisioning.PowerRunning}[i%2]
			change := func(i *provisioning.Instance) { i.Power = power }
			provider.change.Store(&change)
			notify(t, e, s.Instance.ID)
			untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.Instance.Power == power })
		}
		ready(t, e, "order-1")
		assert.Equal(t, "stopped", records.Records()[0].Status)
		seconds := int(time.Since(began)/time.Second) + 2
		assert.LessOrEqual(t, syncs(records, `"action":"update"`)-before, seconds)
	})
}

func TestNothingIsSentForAnUnknownPowerState(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		provider := &seen{Provider: newProvider(t, panel)}
		e := start(t, config(db, provider, withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		s := ready(t, e, "order-1")
		before := len(records.Requests())
		unknown := func(i *provisioning.Instance) { i.Power = provisioning.PowerUnknown }
		provider.change.Store(&unknown)
		notify(t, e, s.Instance.ID)
		r := record(t, e, "order-1", func(r engine.TargetStatus) bool { return strings.Contains(r.Message, "not known") })
		assert.Equal(t, provisioning.RecordRunning, r.Acknowledged)
		assert.Len(t, records.Requests(), before)
	})
}

func TestH21AnotherPanelUnderTheSameNameIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		c := config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers)))
		e, err := engine.Open(t.Context(), c)
		require.NoError(t, err)
		require.NoError(t, e.Close(t.Context()))
		s, err := ospabpanel.New("https://staging.example.com", records.Key())
		require.NoError(t, err)
		r, err := ospabpanel.NewRegistrar(s, customers)
		require.NoError(t, err)
		withRegistrar(r)(&c)
		refused := c
		refused.Providers = map[string]provisioning.Provider{"alpha": c.Providers["alpha"], "aardvark": c.Providers["alpha"]}
		_, err = engine.Open(t.Context(), refused)
		require.ErrorIs(t, err, provisioning.Mismatch)
		assert.ErrorContains(t, err, "staging.example.com")
		c.Moved = []string{"records"}
		e = open(t, c)
		panels, err := e.Panels(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, fmt.Sprint(panels), "aardvark", "what Open has refused is not bound")
	})
}

func TestH22H61H62ReconcileOfRecords(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		for _, key := range []string{"changed", "fine", "renamed", "double"} {
			o := recorded(key)
			o.Record.Image = "Debian 12"
			require.NoError(t, e.Apply(t.Context(), o))
		}
		ids := map[string]provisioning.RecordID{}
		for _, key := range []string{"changed", "fine", "renamed", "double"} {
			ready(t, e, key)
			ids[key] = record(t, e, key, func(r engine.TargetStatus) bool { return r.Acknowledged == provisioning.RecordRunning }).RecordID
		}
		edit(t, records, func(r *ospabpaneltest.Record) {
			switch r.Name {
			case "changed":
				r.Status = "stopped" // the customer did that on the panel
			case "renamed":
				r.Name = "somebody's" // the panel's database was restored, and the id was given out again
			}
		})
		stray := records.AddRecord(ospabpaneltest.Record{UserID: 1, Name: "double", Status: "running", CPUCores: 1, MemoryMB: 1024, DiskGB: 20, OS: "Debian 12", Hypervisor: "proxmox"})
		before := syncs(records, `"action"`)
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records"})
		require.NoError(t, err)
		require.Len(t, plan.Differences, 3, "%+v", plan)
		found := map[engine.Finding]engine.Difference{}
		for _, d := range plan.Differences {
			found[d.What] = d
		}
		assert.Equal(t, engine.Difference{Panel: "records", Key: "changed", ID: string(ids["changed"]), What: engine.FoundDrift, Want: "running", Have: "stopped", Mend: true}, found[engine.FoundDrift])
		assert.Equal(t, "renamed", found[engine.FoundMissing].Key)
		assert.False(t, found[engine.FoundMissing].Mend)
		assert.Equal(t, strconv.FormatInt(stray.ID, 10), found[engine.FoundStray].ID)
		assert.Equal(t, before, syncs(records, `"action"`))

		plan, err = e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records", Apply: true})
		require.NoError(t, err)
		assert.Equal(t, []string{"changed"}, plan.Resynced)
		eventually(t, func() bool { return records.Records()[0].Status == "running" || syncs(records, `"action"`) > before }, func() string { return "nothing was sent" })
		ready(t, e, "changed")
		assert.Equal(t, before+1, syncs(records, `"action"`))
		assert.Len(t, records.Records(), 5)
	})
}

// edit changes rows of the panel behind everybody's back.
func edit(t *testing.T, p *ospabpaneltest.Panel, change func(*ospabpaneltest.Record)) {
	t.Helper()
	state := snapshot(t, p)
	for i := range state.Records {
		change(&state.Records[i])
	}
	restore(t, p, state)
}
