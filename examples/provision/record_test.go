package main

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

var wanted = provisioning.Record{
	Key: "order-1", OwnerRef: "123", Status: provisioning.RecordCreating, Memory: 2 * provisioning.GiB, Disk: 40 * provisioning.GiB, VCPUs: 2, Image: "Debian 12",
}

// newLedger makes a ledger whose panel can be searched, inside the bubble of a test.
func newLedger(t *testing.T) (*ledger, *ospabpaneltest.Panel) {
	t.Helper()
	panel := ospabpaneltest.New(t)
	for _, name := range simulatedUsers {
		panel.AddUser(name)
	}
	p := &panels{}
	users := ospabpanel.UserTable{"123": 5}
	require.NoError(t, p.simulatedOSPAB(panel, panel.Transport(), users))
	dir := t.TempDir()
	locks, err := provisioning.NewFileIntents(dir)
	require.NoError(t, err)
	return &ledger{dir: dir, locks: locks, registrar: p.registrar, panel: p.ospabURL, users: users, settle: 2 * time.Minute}, panel
}

func TestALostRecordIsFoundWhereThePanelCanBeSearched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   provisioningtest.Fault
		unclear bool // when its patience is at an end
		sent    int  // in all
	}{
		"the answer is lost":     {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter}, false, 1},
		"the request is lost":    {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutBefore}, true, 2},
		"a proxy answers for it": {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.AnswerLate, Status: http.StatusGatewayTimeout, Body: "<html>"}, false, 1},
		"it is made 40 s later":  {provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CommitLate, Late: 40 * time.Second}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, panel := newLedger(t)
				require.NoError(t, l.begin("order-1"))
				panel.Inject(c.fault)
				patience, cancel := context.WithTimeout(t.Context(), ospabPatience)
				defer cancel()
				e, err := l.register(patience, wanted)
				if c.unclear {
					require.ErrorContains(t, err, "uncertain: a record may exist, and is not sent a second time (not finished as of the last look (not found yet")
					assert.Equal(t, 1, panel.Count("syncVPS"))
					e, err = l.register(t.Context(), wanted)
				}
				require.NoError(t, err)
				assert.Equal(t, c.sent, panel.Count("syncVPS"))
				assert.Equal(t, provisioning.RecordID("1"), e.ID)
				require.Len(t, panel.Records(), 1)

				again, err := l.register(t.Context(), wanted)
				require.NoError(t, err)
				assert.Equal(t, e.ID, again.ID)
				require.Len(t, panel.Records(), 1)
			})
		})
	}
}

func TestARecordThatAnotherFolderMayHaveMadeIsLookedForFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, panel := newLedger(t)
		panel.AddRecord(ospabpaneltest.Record{UserID: 5, Name: "order-1", Status: "running", CPUCores: 2, MemoryMB: 2048, DiskGB: 40, OS: "Debian 12"})
		e, err := l.register(t.Context(), wanted)
		require.NoError(t, err)
		assert.Equal(t, provisioning.RecordID("1"), e.ID)
		assert.Zero(t, panel.Count("syncVPS"))
	})
}

func TestSeveralSuchRecordsAreForAPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, panel := newLedger(t)
		for range 2 {
			panel.AddRecord(ospabpaneltest.Record{UserID: 5, Name: "order-1", Status: "running", CPUCores: 2, MemoryMB: 2048, DiskGB: 40, OS: "Debian 12"})
		}
		_, err := l.register(t.Context(), wanted)
		require.ErrorContains(t, err, "the panel has 2 such records")
		require.NoError(t, l.resolve("order-1", "2"))
		e, err := l.register(t.Context(), wanted)
		require.NoError(t, err)
		assert.Equal(t, provisioning.RecordID("2"), e.ID)
		require.ErrorContains(t, l.resolve("order-1", "1"), "the record of order-1 is known: 2")
	})
}

func TestARecordOfAnotherPanelIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, panel := newLedger(t)
		require.NoError(t, l.begin("order-1"))
		_, err := l.register(t.Context(), wanted)
		require.NoError(t, err)
		l.panel = "https://staging.example"
		_, err = l.register(t.Context(), wanted)
		require.ErrorContains(t, err, "the record of order-1 is on the panel at https://panel.ospab.test")
		assert.Equal(t, 1, panel.Count("syncVPS"))
	})
}

func TestARefusedRecordMayBeSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, panel := newLedger(t)
		require.NoError(t, l.begin("order-1"))
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: http.StatusBadRequest, Body: `{"error":"Bad Request","message":"no"}`})
		_, err := l.register(t.Context(), wanted)
		require.ErrorIs(t, err, provisioning.Invalid)
		_, err = l.register(t.Context(), wanted)
		require.NoError(t, err)
		assert.Len(t, panel.Records(), 1)
	})
}

func TestTwoProcessesMakeOneRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, panel := newLedger(t)
		require.NoError(t, l.begin("order-1"))
		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Slow, Delay: 5 * time.Second})
		done := make(chan error)
		for range 2 {
			go func() {
				_, err := l.register(context.Background(), wanted)
				done <- err
			}()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		assert.Len(t, panel.Records(), 1)
	})
}
