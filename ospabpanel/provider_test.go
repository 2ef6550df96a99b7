package ospabpanel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// record is an order of the main site's user 1, who is the panel's user 5.
func record() provisioning.Record {
	return provisioning.Record{
		Key: "order-1042", OwnerRef: "1", Status: provisioning.RecordCreating, Memory: 8 * gib, Disk: 40 * gib, VCPUs: 2, Image: "Debian 12",
	}
}

var table = ospabpanel.UserTable{"1": 5, "2": 4}

func newRegistrar(t *testing.T, panel *ospabpaneltest.Panel) *ospabpanel.FindingRegistrar {
	t.Helper()
	r, err := ospabpanel.NewRegistrar(newSync(t, panel), table)
	require.NoError(t, err)
	f, err := ospabpanel.NewFindingRegistrar(r, func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return newUser(t, panel, int64(user)), nil
	})
	require.NoError(t, err)
	return f
}

func TestARecordOfARegistrarLives(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	r := newRegistrar(t, panel)
	id, err := r.Register(t.Context(), record())
	require.NoError(t, err)
	assert.Equal(t, provisioning.RecordID("1"), id)
	row := panel.Records()[0]
	assert.Equal(t, []any{"order-1042", "creating", int64(8192), int64(40), int64(2), "Debian 12", "proxmox"},
		[]any{row.Name, row.Status, row.MemoryMB, row.DiskGB, row.CPUCores, row.OS, row.Hypervisor})
	assert.Equal(t, 1, panel.Count("syncVPS"))

	require.NoError(t, r.SetRecordStatus(t.Context(), id, provisioning.RecordSuspended))
	assert.Equal(t, "suspended", panel.Records()[0].Status)
	require.NoError(t, r.Unregister(t.Context(), id))
	require.NoError(t, r.Unregister(t.Context(), id))
	assert.Empty(t, panel.Records())
}

func TestRegisterSetsAStatusBeyondCreating(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	rec := record()
	rec.Status = provisioning.RecordRunning
	_, err := newRegistrar(t, panel).Register(t.Context(), rec)
	require.NoError(t, err)
	assert.Equal(t, "running", panel.Records()[0].Status)
	assert.Equal(t, 2, panel.Count("syncVPS"))
}

func TestRegisterTellsTheRecordWhoseStatusCouldNotBeSet(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 400, Body: `{"error":"Invalid status"}`, Skip: 1})
	rec := record()
	rec.Status = provisioning.RecordRunning
	id, err := newRegistrar(t, panel).Register(t.Context(), rec)
	assert.Equal(t, provisioning.RecordID("1"), id)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "nobody may take this for a record that was not made")
	require.ErrorIs(t, err, provisioning.Invalid)
	assert.ErrorContains(t, err, "record 1 was made")
}

func TestH25ThePanelGetsItsOwnUserID(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	_, err := newRegistrar(t, panel).Register(t.Context(), record())
	require.NoError(t, err)
	assert.Equal(t, int64(5), panel.Records()[0].UserID, "the main site calls this user 1")
}

func TestH24AResolverMissSendsNothing(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	r := newRegistrar(t, panel)
	rec := record()
	rec.OwnerRef = "123"
	_, err := r.Register(t.Context(), rec)
	require.ErrorIs(t, err, provisioning.NotFound)
	assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
	rec.OwnerRef = ""
	requireField(t, second(r.Register(t.Context(), rec)), "ownerRef")
	assert.Empty(t, panel.Requests())
}

type resolver func() (ospabpanel.PanelUserID, error)

func (r resolver) PanelUserID(context.Context, string) (ospabpanel.PanelUserID, error) { return r() }

func TestAResolverThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	away := errors.New("the table of users is away")
	r, err := ospabpanel.NewRegistrar(newSync(t, panel), resolver(func() (ospabpanel.PanelUserID, error) { return 0, away }))
	require.NoError(t, err)
	_, err = r.Register(t.Context(), record())
	require.ErrorIs(t, err, away)
	require.ErrorIs(t, err, provisioning.Unavailable)
	doubtful := &provisioning.Error{Kind: provisioning.Unavailable, MaybeApplied: true, Message: "the account may have been made"}
	r, err = ospabpanel.NewRegistrar(newSync(t, panel), resolver(func() (ospabpanel.PanelUserID, error) { return 0, doubtful }))
	require.NoError(t, err)
	_, err = r.Register(t.Context(), record())
	require.ErrorIs(t, err, provisioning.Unavailable)
	assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "no record was sent")
	r, err = ospabpanel.NewRegistrar(newSync(t, panel), resolver(func() (ospabpanel.PanelUserID, error) { return 0, nil }))
	require.NoError(t, err)
	requireField(t, second(r.Register(t.Context(), record())), "userID")
	assert.Empty(t, panel.Requests())
}

func TestRecordsThatCannotBeSentAreRefusedBeforeTheUserIsLookedUp(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	r, err := ospabpanel.NewRegistrar(newSync(t, panel), resolver(func() (ospabpanel.PanelUserID, error) {
		t.Error("the resolver was asked")
		return 0, nil
	}))
	require.NoError(t, err)
	for field, change := range map[string]func(*provisioning.Record){
		"key":        func(r *provisioning.Record) { r.Key = "Order 1042" },
		"memory":     func(r *provisioning.Record) { r.Memory = 8 },
		"disk":       func(r *provisioning.Record) { r.Disk = 40 },
		"cpuCores":   func(r *provisioning.Record) { r.VCPUs = 0 },
		"os":         func(r *provisioning.Record) { r.Image = "" },
		"hypervisor": func(r *provisioning.Record) { r.Hypervisor = "prx" },
		"status":     func(r *provisioning.Record) { r.Status = "deleted" },
	} {
		rec := record()
		change(&rec)
		requireField(t, second(r.Register(t.Context(), rec)), field)
	}
	for _, id := range []provisioning.RecordID{"", "0", "-1", "x", "01", "+1", "2147483648"} {
		requireField(t, r.SetRecordStatus(t.Context(), id, provisioning.RecordRunning), "id")
		requireField(t, r.Unregister(t.Context(), id), "id")
	}
	requireField(t, r.SetRecordStatus(t.Context(), "1", "deleted"), "status")
	assert.Empty(t, panel.Requests())
}

func TestH08AnUnclearRegisterIsResolvedByLooking(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		panel := panelWithUsers(t, 5)
		r := newRegistrar(t, panel)
		found, err := r.FindRecords(t.Context(), record())
		require.NoError(t, err)
		assert.Empty(t, found)

		panel.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter})
		_, err = r.Register(t.Context(), record())
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		found, err = r.FindRecords(t.Context(), record())
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, provisioning.FoundRecord{
			ID: "1", Name: "order-1042", Status: "creating", Memory: 8 * gib, Disk: 40 * gib, VCPUs: 2, Image: "Debian 12", Created: found[0].Created,
		}, found[0])
		assert.Equal(t, 1, panel.Count("syncVPS"), "looking sends no create")
	})
}

func TestH08SeveralRecordsOfOneKeyAreAllReturnedAndKept(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	for range 2 {
		panel.AddRecord(ospabpaneltest.Record{UserID: 5, Name: "order-1042", Status: "creating", CPUCores: 2, MemoryMB: 8192, DiskGB: 40, OS: "Debian 12"})
	}
	found, err := newRegistrar(t, panel).FindRecords(t.Context(), record())
	require.NoError(t, err)
	assert.Len(t, found, 2)
	assert.Len(t, panel.Records(), 2)
}

func TestH09OnlyTheKeyAsNameAndTheSameResourcesMatch(t *testing.T) {
	t.Parallel()
	base := ospabpaneltest.Record{UserID: 5, Name: "order-1042", Status: "running", CPUCores: 2, MemoryMB: 8192, DiskGB: 40, OS: "Debian 12"}
	t.Run("another name is another record", func(t *testing.T) {
		t.Parallel()
		panel := panelWithUsers(t, 5)
		for _, name := range []string{"order-10420", "order-104", "ORDER-1042", " order-1042"} {
			other := base
			other.Name = name
			panel.AddRecord(other)
		}
		foreign := base
		foreign.UserID = 4
		panel.AddRecord(foreign)
		found, err := newRegistrar(t, panel).FindRecords(t.Context(), record())
		require.NoError(t, err)
		assert.Empty(t, found)
	})
	for what, change := range map[string]func(*ospabpaneltest.Record){
		"cores": func(r *ospabpaneltest.Record) { r.CPUCores = 4 }, "memory": func(r *ospabpaneltest.Record) { r.MemoryMB = 4096 },
		"disk": func(r *ospabpaneltest.Record) { r.DiskGB = 80 }, "system": func(r *ospabpaneltest.Record) { r.OS = "Debian 11" },
	} {
		t.Run("the name with other "+what+" is for a person to decide", func(t *testing.T) {
			t.Parallel()
			panel := panelWithUsers(t, 5)
			other := base
			change(&other)
			panel.AddRecord(other)
			panel.AddRecord(base)
			_, err := newRegistrar(t, panel).FindRecords(t.Context(), record())
			var conflict *provisioning.ConflictError
			require.ErrorAs(t, err, &conflict)
			assert.ElementsMatch(t, []provisioning.ID{"1", "2"}, conflict.Candidates)
		})
	}
}

func TestH59ALookThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	panel.AddRecord(ospabpaneltest.Record{UserID: 5, Status: "running"})
	_, err := newRegistrar(t, panel).FindRecords(t.Context(), record())
	require.ErrorIs(t, err, provisioning.Unexpected, "a list without names proves nothing")

	panel.Inject(provisioningtest.Fault{Op: "listVPS", Do: provisioningtest.Answer, Status: 500})
	_, err = newRegistrar(t, panel).FindRecords(t.Context(), record())
	require.ErrorIs(t, err, provisioning.Unavailable)

	base, err := ospabpanel.NewRegistrar(newSync(t, panel), table)
	require.NoError(t, err)
	elsewhere, err := ospabpanel.NewUserClient("https://staging.example", 5, ospabpanel.StaticToken("x"), ospabpanel.WithHTTPClient(panel.HTTPClient()))
	require.NoError(t, err)
	noTokens := errors.New("no tokens of this user")
	for name, c := range map[string]struct {
		client *ospabpanel.UserClient
		err    error
		want   error
	}{
		"no tokens":                  {nil, noTokens, noTokens},
		"no client":                  {nil, nil, provisioning.Mismatch},
		"a client of another user":   {newUser(t, panel, 4), nil, provisioning.Mismatch},
		"a client of another panel":  {elsewhere, nil, provisioning.Mismatch},
		"a client without user told": {newUserWith(t, panel, 0, ospabpanel.StaticToken(panel.Token(5))), nil, provisioning.Mismatch},
	} {
		r, err := ospabpanel.NewFindingRegistrar(base, func(context.Context, ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) { return c.client, c.err })
		require.NoError(t, err)
		_, err = r.FindRecords(t.Context(), record())
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestH27ARecordThatTheCustomerDoesNotSeeIsAMismatch(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 4, func(o *ospabpaneltest.Options) { o.AcceptUnknownUser = true })
	panel.AddUser("erin")
	r := newRegistrar(t, panel)
	id, err := r.Register(t.Context(), record())
	require.NoError(t, err)
	require.NoError(t, r.VerifyVisible(t.Context(), "1", id))
	require.ErrorIs(t, r.VerifyVisible(t.Context(), "2", id), provisioning.Mismatch)
	require.ErrorIs(t, r.VerifyVisible(t.Context(), "3", id), provisioning.NotFound)
	requireField(t, r.VerifyVisible(t.Context(), "1", "x"), "id")
	assert.Len(t, panel.Records(), 1, "nothing is repaired by deleting")
}

func TestTheCapabilitiesAreFound(t *testing.T) {
	t.Parallel()
	r := newRegistrar(t, ospabpaneltest.New(t))
	_, ok := provisioning.As[provisioning.RegistrarFinder](r)
	assert.True(t, ok)
	_, ok = provisioning.As[provisioning.RegistrarFinder](r.Registrar)
	assert.False(t, ok, "the sync key alone can read nothing")
	requireField(t, second(ospabpanel.NewRegistrar(nil, table)), "registrar")
	requireField(t, second(ospabpanel.NewFindingRegistrar(r.Registrar, nil)), "registrar")
}
