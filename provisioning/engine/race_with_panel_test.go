package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// overtaken is a provider whose server vanishes between the last look at it and a write.
type overtaken struct {
	*virtfusion.Provider
	vanish func(provisioning.ID)
}

func (o overtaken) Delete(ctx context.Context, id provisioning.ID, d provisioning.DeleteOptions) (*provisioning.Operation, error) {
	o.vanish(id)
	return o.Provider.Delete(ctx, id, d)
}

func (o overtaken) Suspend(ctx context.Context, id provisioning.ID, reason string) (*provisioning.Operation, error) {
	o.vanish(id)
	return o.Provider.Suspend(ctx, id, reason)
}

func TestAServerThatVanishesBetweenTheLookAndTheWriteIsNotARefusal(t *testing.T) {
	for desired, want := range map[engine.Desired]engine.State{engine.Absent: engine.Gone, engine.Suspended: engine.Lost} {
		t.Run(string(desired), func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel := newPanel(t)
				e, _ := provisioned(t, config(db, overtaken{newProvider(t, panel), func(id provisioning.ID) { deleteServer(t, panel, id) }}), "order-1")
				require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: desired}))
				s := untilStatus(t, e, "order-1", func(s engine.Status) bool { return s.State == want || s.State == engine.Dead })
				assert.Equal(t, want, s.State, s.Message)
			})
		})
	}
}

// muddled is a provider that cannot tell which server is that of order-1, whose create was unclear.
type muddled struct {
	*virtfusion.Provider
	clear atomic.Bool
	err   error
}

func (m *muddled) Create(ctx context.Context, r provisioning.CreateRequest, in provisioning.Intent) (provisioning.Created, error) {
	c, err := m.Provider.Create(ctx, r, in)
	if r.Key == "order-1" {
		return provisioning.Created{}, &provisioning.Error{Kind: provisioning.Unavailable, MaybeApplied: true, Message: "the answer was lost"}
	}
	return c, err
}

func (m *muddled) FindCreated(ctx context.Context, in provisioning.Intent) ([]provisioning.Instance, error) {
	if in.Key == "order-1" && !m.clear.Load() {
		return nil, m.err
	}
	return m.Provider.FindCreated(ctx, in)
}

func TestAnOrderThatWaitsForAnotherOneIsNotRefusedForIt(t *testing.T) {
	for _, kind := range []provisioning.Kind{provisioning.NotFound, provisioning.Conflict, provisioning.Mismatch, provisioning.Invalid} {
		t.Run(string(kind), func(t *testing.T) {
			onEach(t, func(t *testing.T, db provisioning.Secret) {
				panel := newPanel(t)
				provider := &muddled{Provider: newProvider(t, panel), err: &provisioning.Error{Kind: kind, Message: "muddled"}}
				e := start(t, config(db, provider))
				require.NoError(t, e.Apply(t.Context(), order("order-1")))
				until(t, e, "order-1", engine.Dead)
				require.NoError(t, e.Apply(t.Context(), order("order-2")))
				s := untilStatus(t, e, "order-2", func(s engine.Status) bool {
					return strings.Contains(s.Message, "order order-1 of the same owner is not resolved")
				})
				assert.NotEqual(t, engine.Dead, s.State)
				provider.clear.Store(true)
				ready(t, e, "order-2")
				require.NoError(t, e.Resync(t.Context(), "order-1"))
				ready(t, e, "order-1")
				assert.Len(t, panel.Servers(), 2)
			})
		})
	}
}

// slowMark is a provider that waits before it writes a Key onto a server.
type slowMark struct {
	*virtfusion.Provider
	marking, goOn chan struct{}
}

func (s slowMark) MarkCreated(ctx context.Context, in provisioning.Intent) error {
	s.marking <- struct{}{}
	<-s.goOn
	return s.Provider.MarkCreated(ctx, in)
}

func TestReconcileTakesNoOrderThatIsBeingCreatedForAStray(t *testing.T) {
	t.Run("its server is known", func(t *testing.T) {
		onEach(t, func(t *testing.T, db provisioning.Secret) {
			panel := newPanel(t)
			provider := slowMark{newProvider(t, panel), make(chan struct{}), make(chan struct{})}
			e := start(t, config(db, provider))
			require.NoError(t, e.Apply(t.Context(), order("order-1")))
			<-provider.marking
			plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{})
			close(provider.goOn)
			require.NoError(t, err)
			require.Len(t, panel.Servers(), 1)
			assert.Empty(t, plan.Differences)
			assert.Empty(t, plan.Incomplete)
			ready(t, e, "order-1")
		})
	})
	t.Run("its fate is not known", func(t *testing.T) {
		onEach(t, func(t *testing.T, db provisioning.Secret) {
			panel := newPanel(t)
			provider := &muddled{Provider: newProvider(t, panel), err: &provisioning.Error{Kind: provisioning.Mismatch, Message: "muddled"}}
			e := start(t, config(db, provider))
			require.NoError(t, e.Apply(t.Context(), order("order-1")))
			until(t, e, "order-1", engine.Dead)
			plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{})
			require.NoError(t, err)
			require.Len(t, plan.Differences, 1)
			assert.Equal(t, engine.FoundStray, plan.Differences[0].What)
			assert.Equal(t, []string{"alpha: the create of order-1 is not resolved; a stray may be its server"}, plan.Incomplete)
		})
	})
}
