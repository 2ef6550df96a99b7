package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

func TestABadServiceIsRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	e := open(t, config(sqliteURL(t), newProvider(t, newPanel(t))))
	for name, change := range map[string]func(*engine.Service){
		"a bad key":                 func(s *engine.Service) { s.Key = "Order 1" },
		"another key in the spec":   func(s *engine.Service) { s.Spec.Key = "order-2" },
		"an unknown provider":       func(s *engine.Service) { s.Provider = "omega" },
		"an unknown registrar":      func(s *engine.Service) { s.Registrars = []string{"omega"} },
		"a provider as registrar":   func(s *engine.Service) { s.Registrars = []string{"alpha"} },
		"an unknown desired state":  func(s *engine.Service) { s.Desired = "broken" },
		"a bad hostname":            func(s *engine.Service) { s.Spec.Hostname = "-" },
		"what the provider refuses": func(s *engine.Service) { s.Spec.Plan = "not a number" },
		"native":                    func(s *engine.Service) { s.Spec.Native = 1 },
		"a negative grace period":   func(s *engine.Service) { s.DeleteIn = -time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			s := order("order-1")
			change(&s)
			require.ErrorIs(t, e.Apply(t.Context(), s), provisioning.Invalid)
		})
	}
	require.ErrorIs(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}), provisioning.NotFound)
	_, err := e.Status(t.Context(), "order-1")
	require.ErrorIs(t, err, provisioning.NotFound)
}

func TestAnUpdateKeepsWhatItLeavesEmptyAndNeverMovesAService(t *testing.T) {
	t.Parallel()
	panel := newPanel(t)
	c := config(sqliteURL(t), newProvider(t, panel))
	c.Providers["beta"] = newProvider(t, panel)
	e := open(t, c)
	require.NoError(t, e.Apply(t.Context(), order("order-1")))
	generation := func() int64 {
		s, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		return s.Generation
	}
	require.NoError(t, e.Apply(t.Context(), order("order-1")))
	assert.Equal(t, int64(1), generation(), "the same is no change")
	require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
	require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1"}))
	assert.Equal(t, int64(2), generation())
	moved := order("order-1")
	moved.Provider = "beta"
	require.ErrorIs(t, e.Apply(t.Context(), moved), provisioning.Conflict)
	sold := order("order-1")
	sold.Spec.Owner.Ref = "1002"
	require.ErrorIs(t, e.Apply(t.Context(), sold), provisioning.Conflict)
	assert.Equal(t, int64(2), generation())
	part := engine.Service{Key: "order-1", Spec: provisioning.CreateRequest{Memory: provisioning.Some(2 * provisioning.GiB)}}
	require.ErrorIs(t, e.Apply(t.Context(), part), provisioning.Invalid, "a part of a spec is not passed over")
	assert.Equal(t, int64(2), generation())
	part.Spec = order("order-1").Spec
	part.Spec.Memory = provisioning.Some(2 * provisioning.GiB)
	require.NoError(t, e.Apply(t.Context(), part))
	assert.Equal(t, int64(3), generation())
}

func TestStatusSaysWhyAServiceIsNotAsDesired(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Answer, Status: 423, Body: `{"msg":"not now"}`, Times: -1})
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		s := untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.Targets[0].Failures > 1 })
		assert.Equal(t, engine.Creating, s.State)
		assert.Contains(t, s.Message, "creating: ")
		assert.Contains(t, s.Message, "not now")
		assert.Contains(t, s.Message, "next try at")
		assert.False(t, s.AsDesired)
		panel.Faults().Clear()
		s = ready(t, e, "order-1")
		assert.Equal(t, provisioning.PowerRunning, s.Instance.Power)
		assert.Equal(t, "order-1.example.com", s.Instance.Hostname)
		assert.NotEmpty(t, s.Instance.Addresses)
		assert.Equal(t, provisioning.GiB, s.Instance.Memory.Or(0))
	})
}

func TestAnImageThatDoesNotExistIsNoLoss(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		panel.Inject(provisioningtest.Fault{Op: "buildServer", Do: provisioningtest.Answer, Status: 404, Body: `{"msg":"template not found"}`})
		e := start(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		dead := until(t, e, "order-1", engine.Dead)
		assert.Contains(t, dead.Message, "template not found")
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Len(t, panel.Servers(), 1)
	})
}

func TestServicesAreListedInPagesAndFiltered(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Providers["beta"] = newProvider(t, panel)
		e := open(t, c)
		raw := rawDB(t, db)
		const services = 450
		tx, err := raw.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		for i := range services {
			o := order(fmt.Sprintf("order-%04d", i))
			o.Provider = []string{"alpha", "beta"}[i%2]
			require.NoError(t, e.ApplyTx(t.Context(), engine.SQLTx(tx), o))
		}
		require.NoError(t, tx.Commit())
		count := func(f engine.Filter) (n int) {
			last := ""
			for s, err := range e.Services(t.Context(), f) {
				require.NoError(t, err)
				require.Greater(t, s.Key, last)
				last = s.Key
				n++
			}
			return n
		}
		assert.Equal(t, services, count(engine.Filter{}))
		assert.Equal(t, services/2, count(engine.Filter{Provider: "beta"}))
		assert.Equal(t, 49, count(engine.Filter{After: "order-0400"}))
		assert.Zero(t, count(engine.Filter{State: engine.Ready}))
		assert.Equal(t, services, count(engine.Filter{State: engine.Waiting}))
		for _, err := range e.Services(t.Context(), engine.Filter{}) {
			require.NoError(t, err)
			break
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		errs := 0
		for _, err := range e.Services(gone, engine.Filter{}) {
			require.Error(t, err)
			errs++
		}
		assert.Equal(t, 1, errs)
	})
}

func TestWatchTellsWhatChangesInAnyProcess(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e := start(t, config(db, newProvider(t, panel)))
		watcher := open(t, config(db, newProvider(t, panel)))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		var states []engine.State
		for c, err := range watcher.Watch(ctx, time.Now().Add(-time.Minute)) {
			require.NoError(t, err, "%v", states)
			assert.Equal(t, "order-1", c.Key)
			states = append(states, c.State)
			if c.State == engine.Ready {
				break
			}
		}
		assert.Contains(t, states, engine.Ready)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		for c, err := range watcher.Watch(ctx, time.Now()) {
			require.NoError(t, err)
			if c.State == engine.Gone {
				break
			}
		}
		soon, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		var last error
		for _, err := range watcher.Watch(soon, time.Now().Add(time.Hour)) {
			last = err
		}
		assert.ErrorIs(t, last, context.DeadlineExceeded)
	})
}

func TestAHintIsOnlyAHint(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		known, err := e.Notify(t.Context(), "alpha", "999999")
		require.NoError(t, err)
		assert.False(t, known)
		reads := panel.Count("getServer")
		notify(t, e, s.Instance.ID)
		eventually(t, func() bool { return panel.Count("getServer") > reads }, func() string { return "nobody looked" })
	})
}

func TestAServiceThatIsForgottenIsLeftAloneForEver(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, s := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		require.NoError(t, e.Forget(t.Context(), "order-1"))
		until(t, e, "order-1", engine.Forgotten)
		known, err := e.Notify(t.Context(), "alpha", s.Instance.ID)
		require.NoError(t, err)
		assert.False(t, known)
		require.ErrorIs(t, e.Apply(t.Context(), order("order-1")), provisioning.Conflict)
		require.ErrorIs(t, e.Resync(t.Context(), "order-1"), provisioning.NotFound)
		for s, err := range e.Services(t.Context(), engine.Filter{}) {
			assert.Fail(t, "it is listed", "%s %v", s.Key, err)
		}
		assert.Zero(t, panel.Count("deleteServer"))
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{})
		require.NoError(t, err)
		require.Len(t, plan.Differences, 1)
		assert.Equal(t, engine.FoundStray, plan.Differences[0].What)
	})
}

func TestOnlyWhatIsLostIsRecreated(t *testing.T) {
	t.Parallel()
	panel := newPanel(t)
	e, _ := provisioned(t, config(sqliteURL(t), newProvider(t, panel)), "order-1")
	require.ErrorIs(t, e.Recreate(t.Context(), "order-1"), provisioning.Conflict)
	require.ErrorIs(t, e.Recreate(t.Context(), "order-2"), provisioning.NotFound)
}

func TestAServiceIsLookedAtAgainAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Timings.Observe, c.Timings.FirstLook = 100*time.Millisecond, 50*time.Millisecond
		var steps, swept atomic.Int32
		c.Metrics = engine.Metrics{Step: func(engine.Step) { steps.Add(1) }, Swept: func(n int) { swept.Add(int32(n)) }}
		e, s := provisioned(t, c, "order-1")
		_, err := newProvider(t, panel).PowerOff(t.Context(), s.Instance.ID) // the customer, in the panel
		require.NoError(t, err)
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.Instance.Power == provisioning.PowerStopped })
		eventually(t, func() bool { return steps.Load() > 4 && swept.Load() > 0 }, func() string { return fmt.Sprint(steps.Load(), " steps") })
	})
}

// slow is a provider whose next look takes until release is closed.
type slow struct {
	*seen
	looking chan struct{}
	release chan struct{}
}

func (s *slow) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	select {
	case s.looking <- struct{}{}:
		<-s.release
	default:
	}
	return s.seen.Instance(ctx, id)
}

func TestARoutineLookDoesNotMakeAServiceUnlikeItsDesire(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		provider := &slow{&seen{Provider: newProvider(t, newPanel(t))}, make(chan struct{}), make(chan struct{})}
		c := config(db, provider)
		c.Timings.Observe, c.Timings.FirstLook = 100*time.Millisecond, 100*time.Millisecond
		e, _ := provisioned(t, c, "order-1")
		quiet(t, db)
		<-provider.looking
		s, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.True(t, s.Targets[0].Working)
		assert.True(t, s.AsDesired, s.Message)
		assert.False(t, s.Pending)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		s, err = e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.False(t, s.AsDesired, "something is wanted now")
		close(provider.release)
		ready(t, e, "order-1")
	})
}

func TestAServiceCanBeCancelledWhereItsRegistrarIsNotConfigured(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		c := config(db, newProvider(t, panel))
		both := open(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, both.Apply(t.Context(), recorded("order-1")))
		e := open(t, c)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		require.ErrorIs(t, e.Apply(t.Context(), recorded("order-2")), provisioning.Invalid)
		s, err := both.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Equal(t, engine.Absent, s.Desired)
	})
}

// panicking is a provider with a bug.
type panicking struct {
	*seen
	bug atomic.Bool
}

func (p *panicking) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	if p.bug.Load() {
		panic("index out of range")
	}
	return p.seen.Instance(ctx, id)
}

func TestAPanicInAProviderIsAFailureLikeAnyOther(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		provider := &panicking{seen: &seen{Provider: newProvider(t, newPanel(t))}}
		e, s := provisioned(t, config(db, provider), "order-1")
		provider.bug.Store(true)
		notify(t, e, s.Instance.ID)
		failing := untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.Targets[0].Failures > 0 })
		assert.Contains(t, failing.Message, "panic: index out of range")
		provider.bug.Store(false)
		ready(t, e, "order-1")
	})
}

func TestStartWorksOnceAndCloseIsFinal(t *testing.T) {
	t.Parallel()
	e := open(t, config(sqliteURL(t), newProvider(t, newPanel(t))))
	require.NoError(t, e.Start(t.Context()))
	require.ErrorIs(t, e.Start(t.Context()), provisioning.Conflict)
	require.NoError(t, e.Close(t.Context()))
	require.NoError(t, e.Close(t.Context()), "a second time does nothing")
	require.Error(t, e.Start(t.Context()))
	require.Error(t, e.Apply(t.Context(), order("order-1")))
}

func TestTheEngineKnowsNoPanel(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		require.NoError(t, err, "%s", exit.Stderr)
	}
	require.NoError(t, err)
	for _, p := range strings.Fields(string(out)) {
		if ours, ok := strings.CutPrefix(p, "github.com/hvpanels/hvpanels/"); ok {
			assert.Contains(t, []string{"provisioning", "provisioning/engine"}, ours)
		}
		assert.NotContains(t, p, "testify")
	}
}

func TestBacklogSaysHowMuchIsPendingAndSinceWhen(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		backlog := func() (alpha, ospab engine.Backlog) {
			all, err := e.Backlog(t.Context())
			require.NoError(t, err)
			of := map[string]engine.Backlog{}
			for _, b := range all {
				of[b.Panel] = b
			}
			return of["alpha"], of["records"]
		}
		alpha, ospab := backlog()
		assert.Equal(t, engine.Backlog{Panel: "alpha"}, alpha)
		assert.Equal(t, engine.Backlog{Panel: "records"}, ospab)

		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Refuse, Times: -1})
		before := time.Now().Add(-time.Second)
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		eventually(t, func() bool { alpha, _ = backlog(); return alpha.Failing == 1 }, func() string { return fmt.Sprint(alpha) })
		first := alpha.Oldest
		assert.WithinRange(t, first, before, time.Now().Add(time.Second))
		bad := recorded("order-2")
		bad.Spec.Owner = provisioning.Owner{Ref: "1003"} // no account, and no address to make one
		require.NoError(t, e.Apply(t.Context(), bad))
		until(t, e, "order-2", engine.Dead)
		alpha, _ = backlog()
		assert.Equal(t, 1, alpha.Pending)
		assert.Equal(t, 1, alpha.NeedsPerson)
		assert.Equal(t, first, alpha.Oldest, "it is pending since it was ordered, and not since its last failure")
		eventually(t, func() bool { _, ospab = backlog(); return ospab == engine.Backlog{Panel: "records"} }, func() string {
			return fmt.Sprint("a record that waits for its server is not pending: ", ospab)
		})

		panel.Faults().Clear()
		ready(t, e, "order-1")
		quiet(t, db)
		alpha, _ = backlog()
		assert.Equal(t, engine.Backlog{Panel: "alpha", NeedsPerson: 1}, alpha)
	})
}

func TestWaitReadyEndsWhenOnlyAPersonCanGoOn(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		records.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		s, err := e.WaitReady(ctx, "order-1")
		require.ErrorIs(t, err, provisioning.Conflict)
		assert.ErrorContains(t, err, "records: uncertain: a record may have been made")
		assert.Equal(t, engine.Ready, s.State, "its server is")
	})
}
