package engine_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// TestAChangeThatFailsAfterThePanelHasAcceptedItIsForAPersonUntilResync lets the panel's own task fail.
func TestAChangeThatFailsAfterThePanelHasAcceptedItIsForAPersonUntilResync(t *testing.T) {
	medium := strconv.FormatInt(solusvm2test.PlanMedium, 10)
	for name, c := range map[string]struct {
		task   solusvm2test.Task
		op     string
		change func(*engine.Service)
		made   func(solusvm2test.ServerState) bool
	}{
		"suspend":   {solusvm2test.TaskSuspend, "suspendServer", func(s *engine.Service) { s.Desired = engine.Suspended }, func(s solusvm2test.ServerState) bool { return s.Suspended }},
		"unsuspend": {solusvm2test.TaskResume, "resumeServer", func(s *engine.Service) { s.Desired = engine.Present }, func(s solusvm2test.ServerState) bool { return !s.Suspended }},
		"resize":    {solusvm2test.TaskResize, "resizeServer", func(s *engine.Service) { s.Spec.Plan = medium }, func(s solusvm2test.ServerState) bool { return s.PlanID == solusvm2test.PlanMedium }},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel, provider, o := newSolusVM2(t)
				o.Registrars = nil
				e := start(t, config(db, provider))
				if name == "unsuspend" {
					o.Desired = engine.Suspended
				}
				require.NoError(t, e.Apply(t.Context(), o))
				s := ready(t, e, o.Key)
				panel.FailNext(c.task, solusvm2test.TaskFailed, "the disk is on fire")
				c.change(&o)
				require.NoError(t, e.Apply(t.Context(), o))
				for range 3 {
					dead := until(t, e, o.Key, engine.Dead)
					assert.Contains(t, dead.Message, name+" failed: ")
					assert.Contains(t, dead.Message, "the disk is on fire")
					notify(t, e, s.Instance.ID) // another look changes nothing
					quiet(t, db)
				}
				assert.Equal(t, 1, panel.Count(c.op), "it is not asked for again")

				require.NoError(t, e.Resync(t.Context(), o.Key))
				untilStatus(t, e, o.Key, func(s engine.Status) bool { return s.AsDesired })
				assert.Equal(t, 2, panel.Count(c.op))
				server, _ := panel.Server(serverID(t, s.Instance.ID))
				assert.True(t, c.made(server))
			})
		})
	}
}

// TestAFailedChangeIsNoticedWhenSomebodyMakesItByHand sees an administrator do by hand what the panel failed to do.
func TestAFailedChangeIsNoticedWhenSomebodyMakesItByHand(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, provider, o := newSolusVM2(t)
		o.Registrars = nil
		c := config(db, provider)
		c.Timings.Observe, c.Timings.FirstLook = 200*time.Millisecond, 100*time.Millisecond
		e := start(t, c)
		require.NoError(t, e.Apply(t.Context(), o))
		s := ready(t, e, o.Key)
		panel.FailNext(solusvm2test.TaskSuspend, solusvm2test.TaskFailed, "the disk is on fire")
		o.Desired = engine.Suspended
		require.NoError(t, e.Apply(t.Context(), o))
		until(t, e, o.Key, engine.Dead)
		_, err := provider.Suspend(t.Context(), s.Instance.ID, "")
		require.NoError(t, err)
		untilStatus(t, e, o.Key, func(s engine.Status) bool { return s.AsDesired })
		assert.Equal(t, 2, panel.Count("suspendServer"), "one of the engine's, and one by hand")
		o.Desired = engine.Present
		require.NoError(t, e.Apply(t.Context(), o))
		until(t, e, o.Key, engine.Held)
		assert.Zero(t, panel.Count("resumeServer"), "what somebody else has placed is not lifted")
	})
}

// longAgo moves the beginning of what the panel carries out seven hours into the past.
func longAgo(t *testing.T, db provisioning.Secret) {
	t.Helper()
	raw := rawDB(t, db)
	var text string
	require.NoError(t, raw.QueryRowContext(t.Context(), `SELECT ledger FROM hvpanels_target WHERE id='order-1/alpha'`).Scan(&text))
	var ledger map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &ledger))
	ledger["running"].(map[string]any)["since"] = time.Now().Add(-7 * time.Hour)
	b, err := json.Marshal(ledger)
	require.NoError(t, err)
	_, err = raw.ExecContext(t.Context(), `UPDATE hvpanels_target SET ledger=$1 WHERE id='order-1/alpha'`, string(b))
	require.NoError(t, err)
}

func TestAChangeThatNeverEndsIsNotWaitedForEver(t *testing.T) {
	never := virtfusiontest.WithTiming(virtfusiontest.Timing{Suspend: 1e6 * time.Hour})
	suspending := func(t *testing.T, db provisioning.Secret) (*engine.Engine, *virtfusiontest.Panel) {
		panel := newPanel(t, never)
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
		untilStatus(t, e, "order-1", func(s engine.Status) bool {
			return s.State == engine.Changing && strings.Contains(s.Message, "carries out suspend")
		})
		return e, panel
	}
	t.Run("a person is told", func(t *testing.T) {
		onEach(t, func(t *testing.T, db provisioning.Secret) {
			e, panel := suspending(t, db)
			require.NoError(t, e.Pause(t.Context(), "alpha", "test"))
			eventually(t, func() bool {
				s, err := e.Status(t.Context(), "order-1")
				return err == nil && !s.Targets[0].Working
			}, func() string { return "a step goes on" })
			longAgo(t, db)
			require.NoError(t, e.Resume(t.Context(), "alpha"))
			until(t, e, "order-1", engine.Drifted)
			assert.Equal(t, 1, panel.Count("suspendServer"))
		})
	})
	t.Run("Resync asks again", func(t *testing.T) {
		onEach(t, func(t *testing.T, db provisioning.Secret) {
			e, panel := suspending(t, db)
			require.NoError(t, e.Resync(t.Context(), "order-1"))
			eventually(t, func() bool { return panel.Count("suspendServer") > 1 }, func() string { return "it is not asked again" })
		})
	})
}

func TestACommandThatNeverEndsIsUnclearAndHoldsUpNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel := newPanel(t, virtfusiontest.WithTiming(virtfusiontest.Timing{Shutdown: 1e6 * time.Hour}))
		e, _ := provisioned(t, config(db, newProvider(t, panel)), "order-1")
		id, err := e.Do(t.Context(), "order-1", engine.Command{Verb: engine.Shutdown})
		require.NoError(t, err)
		eventually(t, func() bool {
			c, err := e.Command(t.Context(), id)
			return err == nil && c.State == engine.CommandRunning
		}, func() string { return "it is not running" })
		_, err = rawDB(t, db).ExecContext(t.Context(), `UPDATE hvpanels_command SET sent_at=sent_at-25200000`) // seven hours
		require.NoError(t, err)
		c, err := e.WaitCommand(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, engine.CommandUnclear, c.State)
		assert.Contains(t, c.Message, "its end was not seen within 6h0m0s")
		ready(t, e, "order-1")
	})
}
