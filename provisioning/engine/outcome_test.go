package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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

func TestALostAnswerOfACreateMakesOneServer(t *testing.T) {
	for name, test := range map[string]struct {
		fault   provisioningtest.Fault
		creates int
	}{
		"committed":            {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CutAfter}, 1},
		"committed late":       {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CommitLate, Late: 800 * time.Millisecond}, 1},
		"proxy error":          {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.AnswerLate, Status: http.StatusGatewayTimeout}, 1},
		"cut body":             {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CutBody}, 1},
		"not committed":        {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CutBefore}, 2},
		"connection refused":   {provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Refuse}, 1},
		"the build, committed": {provisioningtest.Fault{Op: "buildServer", Do: provisioningtest.CutAfter}, 1},
		"the name, committed":  {provisioningtest.Fault{Op: "modifyServerName", Do: provisioningtest.CutAfter}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel := newPanel(t)
				panel.Inject(test.fault)
				e := start(t, config(db, newProvider(t, panel)))
				require.NoError(t, e.Apply(t.Context(), order("order-1")))
				require.NoError(t, e.Apply(t.Context(), order("order-2"))) // of the same owner, meanwhile
				ready(t, e, "order-1")
				ready(t, e, "order-2")
				names := map[string]int{}
				for _, s := range panel.Servers() {
					names[s.Name]++
					assert.Equal(t, 1, s.Builds, s.Name)
				}
				assert.Equal(t, map[string]int{"order-1": 1, "order-2": 1}, names)
			})
		})
	}
}

func TestARefusedOrderIsADeadLetterUntilResync(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		panel.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.Answer, Status: 422, Body: `{"errors":{"packageId":["The package is not for sale."]}}`})
		e := start(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		dead := until(t, e, "order-1", engine.Dead)
		assert.Contains(t, dead.Message, "not for sale")
		assert.Empty(t, dead.Instance.ID)
		_, err := e.WaitReady(t.Context(), "order-1")
		require.ErrorIs(t, err, provisioning.Conflict)
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		assert.Len(t, panel.Servers(), 1)
	})
}

func TestAFailedInstallationIsForAPersonAndRebuildIsTheWayOut(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		panel.FailNextBuild("no space left")
		e := start(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		dead := until(t, e, "order-1", engine.Dead)
		assert.Contains(t, dead.Message, "installation failed")
		notify(t, e, dead.Instance.ID)
		quiet(t, db)
		assert.Equal(t, 1, panel.Count("buildServer"))
		later, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Equal(t, dead.Message, later.Message, "a later look does not forget the reason")
		id, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.Rebuild,
			Rebuild: provisioning.RebuildRequest{Image: order("order-1").Spec.Image, Hostname: "again.example.com"}})
		require.NoError(t, err)
		c, err := e.WaitCommand(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, engine.CommandDone, c.State, c.Message)
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
		password, err := e.TakePassword(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Equal(t, panel.Servers()[0].RootPassword, password)
	})
}

func TestAMissingPermissionBlocksOneServiceAndSaysWhich(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Forbid("suspendServer")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		blocked := until(t, e, "order-1", engine.Blocked)
		assert.True(t, strings.HasPrefix(blocked.Message, "blocked: token lacks suspend"), blocked.Message)
		assert.Empty(t, paused(t, e, "alpha"))
		require.NoError(t, e.Apply(t.Context(), order("order-2")))
		ready(t, e, "order-2")
		assert.Equal(t, 1, panel.Count("suspendServer"))
	})
}

func TestAProviderThatRefusesTheTokenIsPausedAndGoesOnByItself(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		panel.Inject(provisioningtest.Fault{Do: provisioningtest.Answer, Status: 401, Body: `{"message":"Unauthenticated."}`, Times: -1})
		require.NoError(t, e.Apply(t.Context(), order("order-2")))
		eventually(t, func() bool { return paused(t, e, "alpha") == "credentials" }, func() string { return paused(t, e, "alpha") })
		s, err := e.Status(t.Context(), "order-2")
		require.NoError(t, err)
		assert.Contains(t, s.Message, "panel alpha is paused (credentials")
		assert.False(t, s.State.NeedsPerson(), "nothing has failed but the panel")
		panel.Faults().Clear()
		ready(t, e, "order-2")
		assert.Empty(t, paused(t, e, "alpha"))
	})
}

func TestAnAddressThatIsNotThePanelPausesIt(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		panel.Inject(provisioningtest.Fault{Do: provisioningtest.Answer, Status: 404, Body: "<html>not here</html>", Times: -1})
		e := start(t, config(db, newProvider(t, panel)))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		eventually(t, func() bool { return paused(t, e, "alpha") == "address" }, func() string { return paused(t, e, "alpha") })
		panel.Faults().Clear()
		ready(t, e, "order-1")
	})
}

func TestH05AnOutageCostsFewRequestsAndLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		provider := newProviderRetry(t, panel, 1)
		c := config(db, provider)
		c.Timings.Probe = 300 * time.Millisecond
		e := start(t, c)
		panel.Inject(provisioningtest.Fault{Do: provisioningtest.HTML, Status: 503, Times: -1})
		const orders = 20
		for i := range orders {
			require.NoError(t, e.Apply(t.Context(), ownOrder(i)))
		}
		eventually(t, func() bool { return paused(t, e, "alpha") == "outage" }, func() string { return paused(t, e, "alpha") })
		before, began := len(panel.Requests()), time.Now()
		eventually(t, func() bool { return len(panel.Requests()) >= before+12 }, func() string { return "nothing is tried" })
		assert.GreaterOrEqual(t, time.Since(began), 5*c.Timings.Probe, "one step at each probe")
		panel.Faults().Clear()
		for i := range orders {
			ready(t, e, ownOrder(i).Key)
		}
		assert.Len(t, panel.Servers(), orders)
	})
}

func newProviderRetry(t *testing.T, p *virtfusiontest.Panel, attempts int) *virtfusion.Provider {
	t.Helper()
	c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: p.Transport()}),
		virtfusion.WithRetry(virtfusion.RetryPolicy{MaxAttempts: attempts}))
	require.NoError(t, err)
	return virtfusion.NewProvider(c, virtfusion.ProviderOptions{})
}

// broken is a provider that cannot read one server.
type broken struct {
	*virtfusion.Provider
	id    atomic.Value
	reads atomic.Int32
}

func (b *broken) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	if b.id.Load() == id {
		b.reads.Add(1)
		return provisioning.Instance{}, &provisioning.Error{Kind: provisioning.Unavailable, Message: "this server breaks the panel"}
	}
	return b.Provider.Instance(ctx, id)
}

func TestH58OneBrokenServiceHoldsUpNobody(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		provider := &broken{Provider: newProvider(t, panel)}
		e, s := provisioned(t, config(db, provider), "bad")
		provider.id.Store(s.Instance.ID)
		notify(t, e, s.Instance.ID)
		eventually(t, func() bool { return provider.reads.Load() > 8 }, func() string { return fmt.Sprint(provider.reads.Load()) })
		assert.Empty(t, paused(t, e, "alpha"), "one service is no outage")
		began := time.Now()
		require.NoError(t, e.Apply(t.Context(), ownOrder(1)))
		ready(t, e, ownOrder(1).Key)
		assert.Less(t, time.Since(began), 10*time.Second)
		failing, err := e.Status(t.Context(), "bad")
		require.NoError(t, err)
		assert.Contains(t, failing.Message, "this server breaks the panel")
		assert.Positive(t, failing.Targets[0].Failures)
	})
}

func TestH06WhatFailsForTooLongIsADeadLetter(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		provider := &broken{Provider: newProvider(t, panel)}
		c := config(db, provider)
		c.Timings.GiveUp = 300 * time.Millisecond
		e, s := provisioned(t, c, "order-1")
		provider.id.Store(s.Instance.ID)
		notify(t, e, s.Instance.ID)
		dead := until(t, e, "order-1", engine.Dead)
		assert.Contains(t, dead.Message, "gave up after")
		reads := provider.reads.Load()
		quiet(t, db)
		assert.Equal(t, reads, provider.reads.Load())
		n := 0
		for d, err := range e.DeadLetters(t.Context()) {
			require.NoError(t, err)
			assert.Equal(t, "order-1", d.Key)
			n++
		}
		assert.Equal(t, 1, n)
		provider.id.Store(provisioning.ID(""))
		require.NoError(t, e.Resync(t.Context(), "order-1"))
		untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.AsDesired })
	})
}

func TestAPauseByAPersonHoldsInEveryProcessAndOnlyForThatPanel(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, beta := newPanel(t), newPanel(t)
		c := config(db, newProvider(t, panel))
		c.Providers["beta"] = newProvider(t, beta)
		e, other := start(t, c), start(t, c)
		require.NoError(t, other.Pause(t.Context(), "alpha", "moving racks"))
		require.NoError(t, e.Apply(t.Context(), order("order-1")))
		o := order("order-2")
		o.Provider = "beta"
		require.NoError(t, e.Apply(t.Context(), o))
		ready(t, e, "order-2")
		assert.Empty(t, panel.Requests())
		s, err := e.Status(t.Context(), "order-1")
		require.NoError(t, err)
		assert.Contains(t, s.Message, "moving racks")
		require.NoError(t, e.Resume(t.Context(), "alpha"))
		ready(t, e, "order-1")
		assert.ErrorIs(t, e.Pause(t.Context(), "gamma", ""), provisioning.Invalid)
	})
}

func TestH57NoMoreStepsRunAtOnceThanAllowed(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		var now, most atomic.Int32
		rt := transport(func(r *http.Request) (*http.Response, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
			return panel.Transport().RoundTrip(r)
		})
		c := config(db, newProviderOver(t, panel, rt))
		c.PanelWorkers = map[string]int{"alpha": 4}
		e := start(t, c)
		const orders = 24
		for i := range orders {
			require.NoError(t, e.Apply(t.Context(), ownOrder(i)))
		}
		for i := range orders {
			ready(t, e, ownOrder(i).Key)
		}
		assert.Len(t, panel.Servers(), orders)
		assert.LessOrEqual(t, most.Load(), int32(4))
		assert.Greater(t, most.Load(), int32(1))
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestH23TwoEnginesOnOneDatabaseMakeEachServerOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t)
		engines := []*engine.Engine{start(t, config(db, newProvider(t, panel))), start(t, config(db, newProvider(t, panel)))}
		const orders = 20
		for i := range orders { // some share an owner
			o := order(fmt.Sprintf("order-%d", i))
			o.Spec.Owner = ownOrder(i % 10).Spec.Owner
			require.NoError(t, engines[i%2].Apply(t.Context(), o))
		}
		names := map[string]bool{}
		for i := range orders {
			ready(t, engines[0], fmt.Sprintf("order-%d", i))
		}
		for _, s := range panel.Servers() {
			assert.Equal(t, 1, s.Builds)
			names[s.Name] = true
		}
		assert.Len(t, panel.Servers(), orders)
		assert.Len(t, names, orders)
	})
}
