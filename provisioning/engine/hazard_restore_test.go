package engine_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

func TestH22AnIDThatIsGivenOutTwicePausesTheRegistrarUntilAPersonHasReconciled(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		empty := snapshot(t, records)
		require.NoError(t, e.Apply(t.Context(), recorded("old")))
		ready(t, e, "old")
		restore(t, records, empty)
		require.NoError(t, e.Apply(t.Context(), recorded("new")))
		eventually(t, func() bool { return paused(t, e, "records") == "loss" }, func() string { return paused(t, e, "records") })
		row := record(t, e, "new", func(r engine.TargetStatus) bool { return r.RecordID != "" })
		assert.Contains(t, row.Paused, "of old was given out again, to new")

		// What is sent for the old service would now hit the new one's record.
		before := syncs(records, `"action"`)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "old", Desired: engine.Suspended}))
		until(t, e, "old", engine.Ready)
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records", Apply: true})
		require.NoError(t, err)
		missing := difference(t, plan, "old")
		assert.Equal(t, engine.FoundMissing, missing.What)
		assert.Equal(t, before, syncs(records, `"action"`), "nothing was sent")
		require.NoError(t, e.SettleRecord(t.Context(), "old", "records", ""))
		require.NoError(t, e.Resume(t.Context(), "records"))
		for key, status := range map[string]provisioning.RecordStatus{"old": provisioning.RecordSuspended, "new": provisioning.RecordRunning} {
			record(t, e, key, func(r engine.TargetStatus) bool { return r.Acknowledged == status })
			ready(t, e, key)
		}
		assert.Len(t, records.Records(), 2)
		assert.Empty(t, paused(t, e, "records"))
	})
}

func difference(t *testing.T, p engine.Plan, key string) engine.Difference {
	t.Helper()
	for _, d := range p.Differences {
		if d.Key == key {
			return d
		}
	}
	require.Fail(t, "there is no difference of "+key, "%+v", p)
	return engine.Difference{}
}

func TestH22H62RecordsThatARestoreBroughtBackAreStrays(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		panel, records := newPanel(t), newRecords(t)
		e := start(t, config(db, newProvider(t, panel), withRegistrar(newFinder(t, records))))
		require.NoError(t, e.Apply(t.Context(), recorded("order-1")))
		ready(t, e, "order-1")
		id := record(t, e, "order-1", inState(engine.Ready)).RecordID
		backup := snapshot(t, records)
		require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
		record(t, e, "order-1", inState(engine.Gone))
		restore(t, records, backup)
		plan, err := e.Reconcile(t.Context(), engine.ReconcileOptions{Panel: "records", Apply: true})
		require.NoError(t, err)
		require.Len(t, plan.Differences, 1, "%+v", plan)
		assert.Equal(t, engine.Difference{Panel: "records", ID: string(id), What: engine.FoundStray, Want: "no record of order-1, which is absent", Have: `a record "order-1"`}, plan.Differences[0])
		assert.Empty(t, plan.Resynced)
		assert.Len(t, records.Records(), 1, "a stray is not deleted")
	})
}

func TestH48AProxysPageInThePlaceOfOneAnswerBlocksNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"getUserByExtRelation", "createServer", "buildServer", "getServer", "suspendServer", "deleteServer"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			panel := newPanel(t)
			e := start(t, config(sqliteURL(t), newProvider(t, panel)))
			panel.Inject(provisioningtest.Fault{Op: op, Do: provisioningtest.HTML, Status: http.StatusOK})
			require.NoError(t, e.Apply(t.Context(), order("order-1")))
			ready(t, e, "order-1")
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Suspended}))
			assert.True(t, ready(t, e, "order-1").Instance.Suspended)
			require.NoError(t, e.Apply(t.Context(), engine.Service{Key: "order-1", Desired: engine.Absent}))
			until(t, e, "order-1", engine.Gone)
			require.Len(t, panel.Servers(), 1)
			assert.Equal(t, 1, panel.Servers()[0].Builds)
		})
	}
}
