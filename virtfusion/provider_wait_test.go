package virtfusion_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// TestPowerOperationsAreNoticedInTime prints, for power operations of the panel that take 0.3 s to 300 s, how often the panel was asked and how late the end was noticed.
func TestPowerOperationsAreNoticedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		t.Logf("%10s %6s %10s %10s", "takes", "polls", "late by", "promised")
		for _, takes := range []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second, 10 * time.Second, 25 * time.Second, 40 * time.Second, 100 * time.Second, 300 * time.Second} {
			panel := virtfusiontest.New(t, virtfusiontest.WithTiming(virtfusiontest.Timing{Power: takes, Queue: -1}))
			made, err := panel.AddServer(virtfusiontest.Server{Built: true})
			require.NoError(t, err)
			p := (&simulated{Panel: panel, t: t}).Provider(nil)
			start := time.Now()
			op, err := provisioning.PowerOff(t.Context(), p, provisioning.ID(text(made.ID)))
			require.NoError(t, err)
			polls := 0
			require.NoError(t, op.Wait(t.Context(), provisioning.WaitOptions{OnProgress: func(seen provisioning.Progress) { polls = seen.Looks }}))
			late := time.Since(start) - takes
			promised := min(max(250*time.Millisecond, takes*15/100), 3*time.Second)
			t.Logf("%10v %6d %10v %10v", takes, polls, late.Round(time.Millisecond), promised)
			assert.LessOrEqual(t, late, promised, takes)
			assert.GreaterOrEqual(t, late, time.Duration(0), takes)
		}
	})
}

func TestAFailedBuildEndsTheWaitWithItsReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulated(t)
		s.FailNextBuild("no space left on the hypervisor")
		p := s.Provider(nil)
		c, err := provisioning.CreateOnce(t.Context(), p, &provisioning.MemIntents{}, s.Order("order-1"), provisioning.CreateOptions{})
		require.NoError(t, err)
		err = c.Wait(t.Context(), provisioning.WaitOptions{})
		require.ErrorIs(t, err, provisioning.ErrTaskFailed)
		require.ErrorContains(t, err, "failed")
		i, err := p.Instance(t.Context(), c.ID)
		require.NoError(t, err)
		assert.Equal(t, provisioning.StateFailed, i.State())
		assert.NotEmpty(t, i.FailReason)
		native, ok := i.Native.(*virtfusion.Server)
		require.True(t, ok)
		assert.False(t, bool(native.BuildFailed), "the panel's flag does not tell")
		assert.Equal(t, virtfusion.CommissionStatus(2), native.CommissionStatus)
	})
}
