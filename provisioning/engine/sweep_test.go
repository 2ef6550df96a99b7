package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// tired is a panel that takes its time, and refuses the first create of its life.
type tired struct {
	*instant
	looks   atomic.Int64
	refused atomic.Bool
	refuse  atomic.Bool
}

func (p *tired) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	p.looks.Add(1)
	time.Sleep(5 * time.Millisecond)
	return p.instant.Instance(ctx, id)
}

func (p *tired) Create(ctx context.Context, r provisioning.CreateRequest, in provisioning.Intent) (provisioning.Created, error) {
	if p.refuse.Load() && !p.refused.Swap(true) {
		return provisioning.Created{}, &provisioning.Error{Kind: provisioning.Locked, Message: "busy"}
	}
	return p.instant.Create(ctx, r, in)
}

func TestAnOrderGoesBeforeRoutineLooks(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		const fleet = 60
		provider := &tired{instant: &instant{}}
		c := config(db, provider)
		e := start(t, c)
		for i := range fleet {
			require.NoError(t, e.Apply(t.Context(), ownOrder(i)))
		}
		eventually(t, func() bool {
			b, err := e.Backlog(t.Context())
			return err == nil && b[0].Pending == 0
		}, func() string { return "the fleet is not ready" })
		require.NoError(t, e.Close(t.Context()))
		raw := rawDB(t, db)
		for _, statement := range []string{`DELETE FROM river_job`, `UPDATE hvpanels_target SET due_at=0`} {
			_, err := raw.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}

		c.PanelWorkers = map[string]int{"alpha": 1}
		c.Timings.Observe, c.Timings.FirstLook = 10*time.Millisecond, 10*time.Millisecond // far more looks than one worker can do
		began := provider.looks.Load()
		e = start(t, c)
		eventually(t, func() bool { return provider.looks.Load() > began+fleet/2 }, func() string { return "nobody looks" })

		for name, refuse := range map[string]bool{"new-1": false, "new-2": true} { // the second is woken by the sweep
			provider.refuse.Store(refuse)
			before := provider.looks.Load()
			require.NoError(t, e.Apply(t.Context(), order(name)))
			until(t, e, name, engine.Ready)
			assert.Less(t, provider.looks.Load()-before, int64(fleet/2), "%s waited for the fleet", name)
		}
		assert.True(t, provider.refused.Load())
	})
}
