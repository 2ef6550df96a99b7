package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// frozen is a registrar whose first Register is carried out by the panel, and whose process then stands still.
type frozen struct {
	*ospabpanel.FindingRegistrar
	calls atomic.Int32
	thaw  chan struct{}
}

func (f *frozen) Register(ctx context.Context, r provisioning.Record) (provisioning.RecordID, error) {
	first := f.calls.Add(1) == 1
	id, err := f.FindingRegistrar.Register(ctx, r)
	if first {
		<-f.thaw
	}
	return id, err
}

func TestH02AProcessThatDiesBetweenAttemptAndResultLeavesOneRecord(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		dead := &frozen{FindingRegistrar: newFinder(t, records), thaw: make(chan struct{})}
		c := config(db, newProvider(t, panel), withRegistrar(dead))
		c.Timings.StepTimeout, c.Timings.Lease = 2*time.Second, 600*time.Millisecond // the row is taken away like a dead process's
		e := start(t, c)
		thaw := sync.OnceFunc(func() { close(dead.thaw) })
		t.Cleanup(thaw)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		eventually(t, func() bool { return len(records.Records()) == 1 }, func() string { return "no record" })
		ready(t, e, "order-1")
		r := record(t, e, "order-1", inState(engine.Ready))
		thaw() // its late result is not stored
		require.NoError(t, e.Close(t.Context()))
		e = open(t, c)
		assert.Equal(t, r.RecordID, record(t, e, "order-1", inState(engine.Ready)).RecordID)
		assert.Len(t, records.Records(), 1)
		assert.Equal(t, int32(1), dead.calls.Load())
	})
}

func TestH16H17ChangesWhileARegistrationRunsAreSentOnceAndTheNewestWins(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Slow, Delay: 400 * time.Millisecond})
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 503, Times: 2})
		c := config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers)))
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		eventually(t, func() bool { return creates(records) == 1 }, func() string { return "no create" })
		for _, desired := range []engine.Desired{engine.Suspended, engine.Present, engine.Suspended, engine.Present, engine.Suspended} {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: desired}))
		}
		ready(t, e, "order-1")
		eventually(t, func() bool { return records.Records()[0].Status == "suspended" }, func() string { return records.Records()[0].Status })
		assert.Equal(t, 1, creates(records))
		requests := records.Requests()
		assert.Contains(t, string(requests[len(requests)-1].Body), "suspended", "the last word is the newest")
	})
}

func TestH18AnOrderThatIsCancelledBeforeItsRecordWasSentSendsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Pause(t.Context(), "records", "maintenance"))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		until(t, e, "order-1", engine.Ready)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		until(t, e, "order-1", engine.Gone)
		require.NoError(t, e.Resume(t.Context(), "records"))
		record(t, e, "order-1", inState(engine.Gone))
		assert.Empty(t, records.Requests())
	})
}

func TestH18AnUnclearRecordOfACancelledOrderIsFoundAndThenRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		records.Inject(provisioningtest.Fault{Op: "listVPS", Do: provisioningtest.HTML, Status: 502, Times: 4})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		record(t, e, "order-1", inState(engine.Searching))
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		record(t, e, "order-1", inState(engine.Gone))
		assert.Empty(t, records.Records())
		assert.Equal(t, 1, creates(records))
	})
}

func TestH15H20ARecordThatIsMissingOrForeignIsLeftToAPerson(t *testing.T) {
	for name, test := range map[string]struct {
		answer provisioningtest.Fault
		state  engine.State
	}{
		"missing": {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: http.StatusNotFound, Body: `{"error":"Not Found","message":"VPS not found"}`}, engine.Lost},
		"another user's": {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: http.StatusOK,
			Body: `{"status":"success","vps":{"id":99,"user_id":7,"name":"somebody's","status":"suspended"}}`}, engine.Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel, records := newPanel(t), newRecords(t)
				e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
				require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
				ready(t, e, "order-1")
				record(t, e, "order-1", func(r engine.TargetStatus) bool { return r.Acknowledged == provisioning.RecordRunning })
				before := len(records.Requests())
				records.Inject(test.answer)
				require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
				record(t, e, "order-1", inState(test.state))
				quiet(t, db)
				record(t, e, "order-1", inState(test.state))
				assert.Equal(t, before+1, len(records.Requests()))
				assert.Equal(t, 1, creates(records))
				until(t, e, "order-1", engine.Ready)
			})
		})
	}
}

func TestH39NothingIsReportedThatWasNotSeen(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		provider := &seen{Provider: newProvider(t, panel)}
		blind := func(i *provisioning.Instance) { i.Power = provisioning.PowerUnknown }
		provider.change.Store(&blind)
		c := config(db, provider, withRegistrar(newRegistrar(t, records, customers)))
		c.Timings.Observe, c.Timings.FirstLook = 50*time.Millisecond, 20*time.Millisecond
		var looks atomic.Int32
		c.Metrics.Step = func(s engine.Step) {
			if s.Panel == "alpha" && s.State == engine.Ready {
				looks.Add(1)
			}
		}
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		eventually(t, func() bool { return looks.Load() > 5 }, func() string { return fmt.Sprint(looks.Load(), " looks") })
		for _, r := range records.Records() {
			assert.Equal(t, "creating", r.Status, "the installation was seen, the power was not")
		}
		provider.change.Store(nil)
		eventually(t, func() bool { return len(records.Records()) == 1 && records.Records()[0].Status == "running" }, func() string { return "not running" })
	})
}

func TestH59AListOfRecordsThatCannotBeReadConcludesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ready(t, e, "order-1")
		for _, fault := range []provisioningtest.Fault{
			{Op: "listVPS", Do: provisioningtest.Answer, Status: 200, Body: "<html>login</html>"},
			{Op: "listVPS", Do: provisioningtest.Answer, Status: 403, Body: `{"error":"Forbidden"}`},
		} {
			records.Inject(fault)
			before := syncs(records, `"action"`)
			plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records", Apply: true})
			require.NoError(t, err)
			assert.Empty(t, plan.Differences)
			require.Len(t, plan.Incomplete, 1)
			assert.Contains(t, plan.Incomplete[0], "order-1")
			assert.Equal(t, before, syncs(records, `"action"`))
		}
	})
}

func TestARegistrarThatIsNoLongerNamedKeepsItsRecord(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ready(t, e, "order-1")
		record(t, e, "order-1", func(r engine.TargetStatus) bool { return r.Acknowledged == provisioning.RecordRunning })
		before := len(records.Requests())
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended, Registrars: []string{}}))
		ready(t, e, "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		until(t, e, "order-1", engine.Gone)
		assert.Len(t, records.Requests(), before)
		assert.Len(t, records.Records(), 1)
		again := record(t, e, "order-1", func(engine.TargetStatus) bool { return true })
		assert.NotEqual(t, engine.Gone, again.State)
	})
}

func TestARecordOfAServerThatWasResizedOrReinstalledIsStillItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		o := recorded("order-1")
		require.NoError(t, e.Apply(t.Context(), o))
		ready(t, e, "order-1")
		id := record(t, e, "order-1", func(r engine.TargetStatus) bool { return r.Acknowledged == provisioning.RecordRunning }).RecordID

		c := do(t, e, "order-1", engine.Command{Verb: engine.Rebuild, Rebuild: provisioning.RebuildRequest{
			Image: strconv.FormatInt(virtfusiontest.TemplateUbuntu, 10), Hostname: "web-1.example.com",
		}})
		require.Equal(t, engine.CommandDone, c.State, c.Message)
		o.Spec.Plan = strconv.FormatInt(virtfusiontest.PackageMedium, 10)
		require.NoError(t, e.Apply(t.Context(), o))
		ready(t, e, "order-1")
		untilStatus(t, e, "order-1", func(s engine.Status) bool {
			return s.AsDesired && s.Instance.Memory == provisioning.Some(2*provisioning.GiB) && strings.Contains(s.Instance.Image, "Ubuntu")
		})
		r := record(t, e, "order-1", inState(engine.Ready))
		assert.Contains(t, r.Message, "the record says running")
		assert.Contains(t, r.Message, `it still has 1GiB of memory, 20GiB of disk, 1 vCPUs and "Debian 12 (Bookworm) Minimal", because records cannot be changed`)

		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records"})
		require.NoError(t, err)
		assert.Equal(t, []engine.Difference{{
			Panel: "records", Key: "order-1", ID: string(id), What: engine.FoundDrift, Want: `2GiB of memory, 40GiB of disk, 2 vCPUs and "Ubuntu Server 24.04 LTS (Noble Numbat) Minimal"`,
			Have: `1GiB of memory, 20GiB of disk, 1 vCPUs and "Debian 12 (Bookworm) Minimal"`,
		}}, plan.Differences)
		assert.Len(t, records.Records(), 1)
	})
}
