package provisioning_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestAnOperationThatWasDoneWhenAcceptedDoesNotWait(t *testing.T) {
	t.Parallel()
	effective := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	op := provisioning.NewOperation(provisioning.OperationSpec{Instance: "1", Deferred: []string{"memory: at the next restart"}, Effective: effective})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, op.Wait(ctx, provisioning.WaitOptions{}), "it is done, whoever gave up")
		assert.Zero(t, time.Since(start))
		seen, err := op.Look(ctx)
		require.NoError(t, err)
		assert.Equal(t, provisioning.Look{Done: true, Percent: 100}, seen)
	})
	assert.EqualValues(t, "1", op.Instance())
	assert.Empty(t, op.Ref())
	assert.Equal(t, []string{"memory: at the next restart"}, op.Deferred())
	assert.Equal(t, effective, op.Effective())
}

func TestAWaitThatWasCancelledCanBeTakenUpAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		op := provisioning.NewOperation(provisioning.OperationSpec{Instance: "1", Ref: "queue:171", Look: doneAfter(20*time.Second, &polls)})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		require.ErrorIs(t, op.Wait(ctx, provisioning.WaitOptions{}), provisioning.ErrStillRunning)
		seen, err := op.Look(t.Context())
		require.NoError(t, err)
		assert.False(t, seen.Done)
		require.NoError(t, op.Wait(t.Context(), provisioning.WaitOptions{}))
		assert.Equal(t, "queue:171", op.Ref())
	})
}
