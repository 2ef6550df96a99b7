package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// seen changes what a provider reads.
type seen struct {
	*virtfusion.Provider
	change atomic.Pointer[func(*provisioning.Instance)]
}

func (s *seen) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	i, err := s.Provider.Instance(ctx, id)
	if change := s.change.Load(); change != nil && err == nil {
		(*change)(&i)
	}
	return i, err
}

// provisioned is an engine with one server that is ready.
func provisioned(t *testing.T, c engine.Config, key string) (*engine.Engine, engine.Status) {
	t.Helper()
	e := start(t, c)
	require.NoError(t, e.Apply(t.Context(), order(key)))
	return e, ready(t, e, key)
}

// deleteServer deletes a server behind the engine's back, and waits until the panel no longer knows it.
func deleteServer(t *testing.T, p *virtfusiontest.Panel, id provisioning.ID) {
	t.Helper()
	other := newProvider(t, p)
	_, err := other.Delete(t.Context(), id, provisioning.DeleteOptions{})
	require.NoError(t, err)
	require.NoError(t, provisioning.WaitGone(t.Context(), other, id, provisioning.WaitOptions{Max: 10 * time.Millisecond}))
}

func serverID(t *testing.T, id provisioning.ID) int64 {
	t.Helper()
	n, err := strconv.ParseInt(string(id), 10, 64)
	require.NoError(t, err)
	return n
}

func notify(t *testing.T, e *engine.Engine, id provisioning.ID) {
	t.Helper()
	known, err := e.Notify(t.Context(), "alpha", id)
	require.NoError(t, err)
	require.True(t, known)
}

func TestAServerThatIsGoneIsLostAndNeverMadeAgainOnItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		deleteServer(t, panel, s.Instance.ID)
		notify(t, e, s.Instance.ID)
		lost := until(t, e, "order-1", engine.Lost)
		assert.Contains(t, lost.Message, "said twice that it does not exist")
		for range 3 {
			require.NoError(t, e.Resync(t.Context(), "order-1"))
			notify(t, e, s.Instance.ID)
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Present, Reason: "again"}))
			quiet(t, db)
		}
		until(t, e, "order-1", engine.Lost)
		assert.Equal(t, 1, panel.Count("createServer"))

		require.NoError(t, e.Recreate(t.Context(), "order-1"))
		again := untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.NotEqual(t, s.Instance.ID, again.Instance.ID)
		assert.NotEqual(t, s.Instance.UUID, again.Instance.UUID)
		assert.Equal(t, 2, panel.Count("createServer"))
	})
}

func TestOneNotFoundIsNoLoss(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusNotFound, Body: `{"msg":"server not found"}`})
		notify(t, e, s.Instance.ID)
		eventually(t, func() bool { return len(panel.Faults().Unused()) == 0 }, func() string { return "the fault was not used" })
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Equal(t, 1, panel.Count("createServer"))
	})
}

func TestAMissingRouteIsNoLoss(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusNotFound, Body: `not here`, Times: -1})
		notify(t, e, s.Instance.ID)
		blocked := until(t, e, "order-1", engine.Blocked)
		assert.Contains(t, blocked.Message, "no route")
		panel.Faults().Clear()
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired }) // it was a proxy's answer, and ends by itself
	})
}

func TestManyServersGoneAtOncePauseTheProvider(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		const servers = 12
		provider := &seen{Provider: newProvider(t, panel)}
		c := config(db, provider)
		c.Timings.Confirm = 8 * time.Second
		e := start(t, c)
		var ids []provisioning.ID
		for i := range servers {
			o := order(fmt.Sprintf("order-%d", i))
			o.Spec.Owner.Ref = strconv.Itoa(1001 + i)
			o.Spec.Owner.Email = fmt.Sprintf("ada%d@example.com", i)
			require.NoError(t, e.Apply(t.Context(), o))
		}
		for i := range servers {
			ids = append(ids, ready(t, e, fmt.Sprintf("order-%d", i)).Instance.ID)
		}
		for _, id := range ids {
			deleteServer(t, panel, id)
		}
		for _, id := range ids {
			notify(t, e, id)
		}
		eventually(t, func() bool { return paused(t, e, "alpha") == "loss" }, func() string { return paused(t, e, "alpha") })
		s, err := e.Status(t.Context(), "order-0")
		require.NoError(t, err)
		assert.Contains(t, s.Message, "servers are gone at once: wrong panel, or a restored database?")
		lost := 0
		for s, err := range e.Services(t.Context(), engine.Filter{State: engine.Lost}) {
			require.NoError(t, err)
			t.Log(s.Key, s.Message)
			lost++
		}
		assert.Zero(t, lost, "nothing is lost before a person has looked")

		require.NoError(t, e.Resume(t.Context(), "alpha"))
		for i := range servers {
			until(t, e, fmt.Sprintf("order-%d", i), engine.Lost)
		}
		assert.Equal(t, servers, panel.Count("createServer"))
	})
}

func TestServersThatTheEngineDeletedItselfAreNoLoss(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Timings.Confirm = time.Second // all of them are missing at once
		e := start(t, c)
		const servers = 12
		for i := range servers {
			o := order(fmt.Sprintf("order-%d", i))
			o.Spec.Owner.Ref = strconv.Itoa(1001 + i)
			o.Spec.Owner.Email = fmt.Sprintf("ada%d@example.com", i)
			require.NoError(t, e.Apply(t.Context(), o))
		}
		for i := range servers {
			ready(t, e, fmt.Sprintf("order-%d", i))
		}
		panel.Inject(provisioningtest.Fault{Op: "deleteServer", Do: provisioningtest.CutAfter, Times: -1})
		for i := range servers {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: fmt.Sprintf("order-%d", i), Desired: engine.Absent}))
		}
		for i := range servers {
			until(t, e, fmt.Sprintf("order-%d", i), engine.Gone)
		}
		assert.Empty(t, paused(t, e, "alpha"))
	})
}

func TestNothingIsSentToAServerWithAnotherUUID(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		provider := &seen{Provider: newProvider(t, panel)}
		e, _ := provisioned(t, config(db, provider), "order-1")
		other := func(i *provisioning.Instance) { i.UUID = "00000000-0000-4000-8000-000000000000" }
		provider.change.Store(&other)
		for _, desired := range []engine.Desired{engine.Suspended, engine.Absent} {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: desired}))
			s := until(t, e, "order-1", engine.Foreign)
			assert.Contains(t, s.Message, "foreign")
		}
		assert.Zero(t, panel.Count("suspendServer"))
		assert.Zero(t, panel.Count("deleteServer"))
		id, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.Restart})
		assert.ErrorIs(t, err, provisioning.Conflict, id)
	})
}

func TestTheEngineLiftsOnlyItsOwnSuspension(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		admin := newProvider(t, panel)
		_, err := admin.Suspend(t.Context(), s.Instance.ID, "")
		require.NoError(t, err)
		notify(t, e, s.Instance.ID)
		held := until(t, e, "order-1", engine.Held)
		assert.Contains(t, held.Message, "suspended in the panel, and not by the engine")

		// Billing suspends, too, and lifts that again: the administrator's suspension stays.
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		ready(t, e, "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Present}))
		until(t, e, "order-1", engine.Held)
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		quiet(t, db)
		until(t, e, "order-1", engine.Held)
		assert.Zero(t, panel.Count("unsuspendServer"))

		_, err = admin.Unsuspend(t.Context(), s.Instance.ID)
		require.NoError(t, err)
		notify(t, e, s.Instance.ID)
		ready(t, e, "order-1")
	})
}

func TestSuspendAndLift(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		for range 2 {
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
			assert.True(t, ready(t, e, "order-1").Instance.Suspended)
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Present}))
			assert.False(t, ready(t, e, "order-1").Instance.Suspended)
		}
		server, _ := panel.Server(serverID(t, s.Instance.ID))
		assert.False(t, server.Suspended)
		assert.Equal(t, 2, panel.Count("suspendServer"))
		assert.Equal(t, 2, panel.Count("unsuspendServer"))
	})
}

func TestWhatSomebodyLiftsInThePanelIsShownAndNotFoughtOver(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		ready(t, e, "order-1")
		_, err := newProvider(t, panel).Unsuspend(t.Context(), s.Instance.ID)
		require.NoError(t, err)
		for range 3 {
			notify(t, e, s.Instance.ID)
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
			drifted := until(t, e, "order-1", engine.Drifted)
			assert.Contains(t, drifted.Message, "Resync places it again")
		}
		assert.Equal(t, 1, panel.Count("suspendServer"))
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Equal(t, 2, panel.Count("suspendServer"))
	})
}

func TestAbsentIsFinal(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		for _, desired := range []engine.Desired{engine.Present, engine.Suspended} {
			err := e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: desired})
			require.ErrorIs(t, err, provisioning.Conflict)
			assert.Contains(t, err.Error(), "final")
		}
		assert.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}), "the same again is fine")
		until(t, e, "order-1", engine.Gone)
		server, _ := panel.Server(serverID(t, s.Instance.ID))
		assert.False(t, server.DeletedAt.IsZero())
		assert.Equal(t, 1, panel.Count("deleteServer"))
		require.Error(t, e.Apply(t.Context(), order("order-1")))
		in, err := e.NewIntents().Load(t.Context(), "order-1")
		require.NoError(t, err)
		assert.True(t, in.Retired, "nor can anybody else use the key with this store")
		assert.Equal(t, 1, panel.Count("createServer"))
	})
}

func TestADeletionThatWasAcceptedIsNotSentAgain(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent, DeleteIn: 5 * time.Minute}))
		deleting := until(t, e, "order-1", engine.Deleting)
		assert.WithinDuration(t, time.Now().Add(5*time.Minute), deleting.DeleteAt, 10*time.Second)
		assert.Contains(t, deleting.Message, "at "+deleting.DeleteAt.UTC().Format(time.RFC3339))
		for range 3 {
			notify(t, e, s.Instance.ID)
			quiet(t, db)
		}
		assert.Equal(t, 1, panel.Count("deleteServer"))
	})
}

func TestAnOrderThatIsCancelledBeforeAnythingWasSentCostsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := open(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		require.NoError(t, e.Start(t.Context()))
		until(t, e, "order-1", engine.Gone)
		assert.Empty(t, panel.Requests())
	})
}

func TestAnUnclearCreateOfACancelledOrderIsFoundAndDeletedAndNeverSentAgain(t *testing.T) {
	for name, fault := range map[string]provisioningtest.Fault{
		"committed":      {Op: "createServer", Do: provisioningtest.CutAfter},
		"committed late": {Op: "createServer", Do: provisioningtest.CommitLate, Late: 500 * time.Millisecond},
		"not committed":  {Op: "createServer", Do: provisioningtest.CutBefore},
		"proxy error":    {Op: "createServer", Do: provisioningtest.AnswerLate, Status: http.StatusGatewayTimeout},
		"cut body":       {Op: "createServer", Do: provisioningtest.CutBody},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel := newPanel(t)
				panel.Inject(fault)
				e := start(t, config(db, newProvider(t, panel)))
				require.NoError(t, e.Apply(t.Context(), order("order-1")))
				eventually(t, func() bool { return panel.Count("createServer") == 1 }, func() string { return "no create" })
				require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
				until(t, e, "order-1", engine.Gone)
				assert.Equal(t, 1, panel.Count("createServer"))
				for _, s := range panel.Servers() {
					assert.False(t, s.DeletedAt.IsZero(), "server %d", s.ID)
				}
			})
		})
	}
}

func TestAChangeOfPlanIsSentOnceAndWhatThePanelDoesLaterIsRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		bigger := order("order-1")
		bigger.Spec.Plan = strconv.FormatInt(virtfusiontest.PackageMedium, 10)
		require.NoError(t, e.Apply(t.Context(), bigger))
		ready(t, e, "order-1")
		changed := untilStatus(t, e, "order-1", func(s engine.Status) bool { return len(s.Deferred) > 0 })
		t.Log(changed.Deferred)
		for range 3 {
			notify(t, e, s.Instance.ID)
			require.NoError(t, e.Apply(t.Context(), bigger))
			ready(t, e, "order-1")
		}
		server, _ := panel.Server(serverID(t, s.Instance.ID))
		assert.Equal(t, virtfusiontest.PackageMedium, server.PackageID)
		assert.Equal(t, 1, panel.Count("changeServerPackage"), "operations: %v", operations(panel))
	})
}

func operations(panel *virtfusiontest.Panel) map[string]int {
	count := map[string]int{}
	for _, r := range panel.Requests() {
		count[r.Op]++
	}
	return count
}

func TestReconcileReportsAndTouchesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		states := map[string]engine.Status{}
		for _, key := range []string{"fine", "gone", "lifted", "held"} {
			o := order(key)
			if key == "lifted" {
				o.Desired = engine.Suspended
			}
			require.NoError(t, e.Apply(t.Context(), o))
		}
		for _, key := range []string{"fine", "gone", "lifted", "held"} {
			states[key] = ready(t, e, key)
		}
		admin := newProvider(t, panel)
		_, err := admin.Unsuspend(t.Context(), states["lifted"].Instance.ID)
		require.NoError(t, err)
		_, err = admin.Suspend(t.Context(), states["held"].Instance.ID, "")
		require.NoError(t, err)
		deleteServer(t, panel, states["gone"].Instance.ID)
		stray, err := panel.AddServer(virtfusiontest.Server{Name: "somebody's", Built: true})
		require.NoError(t, err)

		writes := func() (n int) {
			for _, r := range panel.Requests() {
				if r.Method != http.MethodGet {
					n++
				}
			}
			return n
		}
		before := writes()
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{})
		require.NoError(t, err)
		assert.Empty(t, plan.Incomplete)
		assert.Equal(t, 4, plan.Checked)
		found := map[string]engine.Difference{}
		for _, d := range plan.Differences {
			found[d.Key] = d
		}
		assert.Len(t, plan.Differences, 4)
		assert.Equal(t, engine.FoundMissing, found["gone"].What)
		assert.Equal(t, engine.FoundDrift, found["lifted"].What)
		assert.Equal(t, engine.FoundHeld, found["held"].What)
		assert.Equal(t, engine.FoundStray, found[""].What)
		assert.Equal(t, strconv.FormatInt(stray.ID, 10), found[""].ID)
		assert.Equal(t, before, writes())

		_, err = e.Reconcile(t.Context(), engine.ReconcileOptions{Apply: true, MaxChanges: 1})
		assert.ErrorIs(t, err, provisioning.Conflict, "two services are more than one")
		plan, err = e.Reconcile(t.Context(), engine.ReconcileOptions{Apply: true})
		require.NoError(t, err)
		assert.Equal(t, []string{"gone", "lifted"}, plan.Resynced)
		untilStatus(t, e, "lifted", func(s engine.Status) bool { return s.AsDesired })
		until(t, e, "gone", engine.Lost)
		assert.Zero(t, panel.Count("deleteServer")-1, "the one of this test")
		server, _ := panel.Server(stray.ID)
		assert.True(t, server.DeletedAt.IsZero())
	})
}

func TestAListThatCannotBeReadConcludesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Inject(provisioningtest.Fault{Op: "listServers", Do: provisioningtest.HTML, Times: 4})
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Apply: true})
		require.NoError(t, err)
		assert.Empty(t, plan.Differences)
		require.Len(t, plan.Incomplete, 1)
		assert.Contains(t, plan.Incomplete[0], "alpha: the list of servers")
		s, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.True(t, s.AsDesired)
	})
}
