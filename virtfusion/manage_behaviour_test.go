package virtfusion_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// The tests of this file let the client and the simulated panel talk to each other.

func (m *managed) sid() virtfusion.ServerID { return virtfusion.ServerID(m.server) }

// read reads the server through the API.
func (m *managed) read() *virtfusion.Server {
	m.t.Helper()
	s, err := m.client.Servers.Get(m.t.Context(), m.sid(), virtfusion.GetServerOptions{})
	require.NoError(m.t, err)
	return s
}

// restart restarts the server and waits.
func (m *managed) restart() {
	m.t.Helper()
	op, err := m.provider.Restart(m.t.Context(), m.id)
	require.NoError(m.t, err)
	require.NoError(m.t, m.wait(op))
}

// actions are the states of the server's deferred actions.
func (m *managed) actions() []virtfusion.ServerActionState {
	m.t.Helper()
	all, err := collect(m.client.Servers.ListActions(m.t.Context(), m.sid(), virtfusion.ListActionsOptions{}))
	require.NoError(m.t, err)
	var states []virtfusion.ServerActionState
	for _, a := range all {
		assert.NotZero(m.t, a.ID)
		states = append(states, a.State)
	}
	return states
}

func TestADiskIsAddedAtTheNextPowerAction(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.client.Servers.CreateDisk(t.Context(), m.sid(), virtfusion.CreateDiskRequest{Size: 100, Cache: virtfusion.DiskCacheNone,
			QoS: &virtfusion.DiskQoS{WriteIOPS: provisioning.Some(int64(500))}})
		require.NoError(t, err)
		disk := m.read().Storage[1]
		assert.EqualValues(t, 1, disk.Status, "it waits")
		assert.Equal(t, []virtfusion.ServerActionState{virtfusion.ActionPending}, m.actions())
		m.restart()
		disk = m.read().Storage[1]
		assert.EqualValues(t, 3, disk.Status)
		assert.EqualValues(t, 500, disk.IOPS.Write)
		assert.Equal(t, "none", disk.Cache)
		assert.Equal(t, []virtfusion.ServerActionState{virtfusion.ActionCompleted}, m.actions())

		_, err = m.client.Servers.UpdateDisk(t.Context(), m.sid(), "b",
			virtfusion.UpdateDiskRequest{QoS: &virtfusion.DiskQoS{WriteIOPS: provisioning.Null[int64]()}, Apply: true, Size: 120})
		require.NoError(t, err)
		disk = m.read().Storage[1]
		assert.Zero(t, disk.IOPS.Write)
		assert.Equal(t, virtfusion.GB(120), disk.Capacity)
		_, err = m.client.Servers.UpdateDisk(t.Context(), m.sid(), "b", virtfusion.UpdateDiskRequest{Size: 10})
		require.ErrorIs(t, err, provisioning.Invalid, "disks only grow")
	})
}

func TestADiskInUseIsDeletedOnlyWhenThatIsConfirmedAndNeverThePrimary(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		for range 2 {
			_, err := m.client.Servers.CreateDisk(t.Context(), m.sid(), virtfusion.CreateDiskRequest{Size: 10})
			require.NoError(t, err)
		}
		m.restart()
		_, err := m.client.Servers.DeleteDisk(t.Context(), m.sid(), "b", virtfusion.DeleteDiskOptions{})
		require.ErrorIs(t, err, provisioning.Invalid)
		_, err = m.client.Servers.DeleteDisk(t.Context(), m.sid(), "a", virtfusion.DeleteDiskOptions{Confirm: true})
		require.ErrorIs(t, err, provisioning.Invalid)
		second := m.read().Storage[1]
		_, err = m.client.Servers.DeleteDisk(t.Context(), m.sid(), virtfusion.DiskByID(second.RowID), virtfusion.DeleteDiskOptions{Confirm: true})
		require.NoError(t, err)
		require.Len(t, m.read().Storage, 3, "it goes at the next power action")
		m.restart()
		left := m.read().Storage
		require.Len(t, left, 2)
		assert.Equal(t, "b", left[1].Drive, "the letter of the disk that is gone now names another one")
		assert.NotEqual(t, second.RowID, left[1].RowID)
	})
}

func TestADeletionByLetterIsNotRepeatedBecauseItCouldHitTheNextDisk(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		for range 2 {
			_, err := m.client.Servers.CreateDisk(t.Context(), m.sid(), virtfusion.CreateDiskRequest{Size: 10})
			require.NoError(t, err)
		}
		m.Inject(provisioningtest.Fault{Op: "deleteServerDisk", Do: provisioningtest.CutAfter})
		_, err := m.client.Servers.DeleteDisk(t.Context(), m.sid(), "b", virtfusion.DeleteDiskOptions{})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Len(t, m.read().Storage, 2, "the other new disk is still there")

		id := m.read().Storage[1].RowID
		m.Inject(provisioningtest.Fault{Op: "deleteServerDisk", Do: provisioningtest.CutAfter})
		_, err = m.client.Servers.DeleteDisk(t.Context(), m.sid(), virtfusion.DiskByID(id), virtfusion.DeleteDiskOptions{})
		require.NoError(t, err, "by its id, that it is gone is what was asked for")
		assert.Len(t, m.read().Storage, 1)
	})
}

func TestFailedWorkOnADiskBlocksBuildsUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.client.Servers.CreateDisk(t.Context(), m.sid(), virtfusion.CreateDiskRequest{Size: 10})
		require.NoError(t, err)
		m.FailDeferred(m.server)
		assert.Equal(t, []virtfusion.ServerActionState{virtfusion.ActionFailed}, m.actions())
		_, err = m.rebuild()
		require.ErrorIs(t, err, provisioning.Locked)
		cancelled, err := m.client.Servers.CancelDiskAction(t.Context(), m.sid(), "b")
		require.NoError(t, err)
		assert.NotZero(t, cancelled.ActionID)
		assert.Empty(t, m.actions())
		assert.Len(t, m.read().Storage, 1)
		_, err = m.rebuild()
		require.NoError(t, err)
		nothing, err := m.client.Servers.CancelDiskAction(t.Context(), m.sid(), "a")
		require.NoError(t, err)
		assert.Zero(t, nothing.ActionID)
	})
}

func TestABackupRunsAloneAndIsRestored(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		restore := virtfusion.RestoreBackupRequest{Disks: []virtfusion.RestoreDisk{{Number: 1}}}
		_, err := m.client.Servers.RestoreBackup(t.Context(), m.sid(), restore)
		require.ErrorIs(t, err, provisioning.Invalid, "there is no backup")
		password := m.view().RootPassword
		_, err = m.client.Servers.CreateBackup(t.Context(), m.sid())
		require.NoError(t, err)
		_, err = m.client.Servers.CreateBackup(t.Context(), m.sid())
		require.ErrorIs(t, err, provisioning.Invalid, "another one runs")
		time.Sleep(23 * time.Second)
		made, _ := m.Managed(m.server)
		require.Len(t, made.Backups, 1)

		reset, err := m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{})
		require.NoError(t, err)
		require.NoError(t, m.wait(reset.Operation))
		require.NotEqual(t, password, m.view().RootPassword)
		m.Inject(provisioningtest.Fault{Op: "restoreServerBackup", Do: provisioningtest.CutAfter})
		_, err = m.client.Servers.RestoreBackup(t.Context(), m.sid(), restore)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		time.Sleep(23 * time.Second)
		made, _ = m.Managed(m.server)
		assert.Equal(t, 1, made.Restores, "it is sent once")
		assert.Equal(t, password, m.view().RootPassword)
	})
}

func TestValuesOfAServerAreChanged(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx, servers := t.Context(), m.client.Servers
		other := m.AddUser(virtfusiontest.User{Name: "Else Other", Email: "else@example.com"})
		require.NoError(t, servers.ThrottleCPU(ctx, m.sid(), 50, virtfusion.ThrottleCPUOptions{Sync: true}))
		require.NoError(t, servers.SetBackupPlan(ctx, m.sid(), 5))
		require.NoError(t, servers.SetBackupAccess(ctx, m.sid(), virtfusion.BackupAccessViewAndRestore))
		require.NoError(t, servers.SetCustomXML(ctx, m.sid(), virtfusion.CustomXML{Devices: ptr("<rng/>"), DevicesEnabled: ptr(true)}))
		require.NoError(t, servers.ChangeOwner(ctx, m.sid(), virtfusion.UserID(other)))
		s := m.read()
		assert.EqualValues(t, 50, s.CPU.Throttle)
		assert.Equal(t, virtfusion.BackupPlanID(5), s.BackupPlan.ID)
		assert.Equal(t, virtfusion.UserID(other), s.OwnerID)
		assert.Contains(t, string(s.CustomXML), `"devices":{"enabled":true,"xml":"\u003crng/\u003e"}`)
		truth, _ := m.Managed(m.server)
		assert.Equal(t, "view_restore", truth.BackupAccess)
		require.NoError(t, servers.SetBackupPlan(ctx, m.sid(), 0))
		assert.Zero(t, m.read().BackupPlan.ID)
		require.ErrorIs(t, servers.ChangeOwner(ctx, m.sid(), 99), provisioning.NotFound)
		require.ErrorIs(t, servers.SetMemory(ctx, m.sid(), 2<<20), provisioning.Capacity)
	})
}

func TestAnImageIsAddedMountedAndEjected(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx := t.Context()
		iso, err := m.client.Media.CreateISO(ctx, virtfusion.ISORequest{Name: "Installer"})
		require.NoError(t, err)
		require.NotZero(t, iso.ID)
		_, err = m.client.Servers.MountISO(ctx, m.sid(), virtfusion.MountISORequest{ISOID: iso.ID})
		require.ErrorIs(t, err, provisioning.Invalid, "it is not enabled")
		_, err = m.client.Media.UpdateISO(ctx, iso.ID, virtfusion.ISORequest{Enabled: ptr(true)})
		require.ErrorIs(t, err, provisioning.Invalid, "it has no file")
		_, err = m.client.Media.UpdateISO(ctx, iso.ID, virtfusion.ISORequest{Enabled: ptr(true), URL: "https://mirror.example.com/i.iso", Filename: "installer",
			Arch: ptr(virtfusion.ArchX86_64)})
		require.NoError(t, err)
		read, err := m.client.Media.GetISO(ctx, iso.ID)
		require.NoError(t, err)
		assert.Equal(t, virtfusion.ArchX86_64, read.Arch)

		_, err = m.client.Servers.MountISO(ctx, m.sid(), virtfusion.MountISORequest{ISOID: iso.ID})
		require.NoError(t, err)
		assert.False(t, bool(m.read().Media.ISOMounted), "it is queued")
		time.Sleep(3 * time.Second)
		assert.Equal(t, "Installer", m.read().Media.ISOName)
		assert.Equal(t, []string{"cdrom", "hd"}, m.read().Settings.BootOrder)
		_, err = m.client.Servers.EjectISO(ctx, m.sid())
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		assert.False(t, bool(m.read().Media.ISOMounted))

		m.SetCustomISO(m.server, false)
		_, err = m.client.Servers.MountISO(ctx, m.sid(), virtfusion.MountISORequest{URL: "https://mirror.example.com/i.iso"})
		require.ErrorIs(t, err, provisioning.Conflict)
	})
}

func TestAnAssetIsAttachedOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		asset := virtfusion.HypervisorAssetID(m.AddAsset(m.view().HypervisorID))
		_, err := m.client.Servers.AttachAsset(t.Context(), m.sid(), asset)
		require.NoError(t, err)
		assert.Equal(t, []virtfusion.ServerActionState{virtfusion.ActionPending}, m.actions())
		_, err = m.client.Servers.AttachAsset(t.Context(), m.sid(), asset)
		require.ErrorIs(t, err, provisioning.Conflict)
		_, err = m.client.Servers.AttachAsset(t.Context(), m.sid(), 99)
		require.ErrorIs(t, err, provisioning.NotFound)
	})
}

func TestAPackageIsMadeSoldAndDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManaged(t, virtfusion.ProviderOptions{})
		ctx := t.Context()
		made, err := m.client.Packages.Create(ctx, virtfusion.PackageRequest{Name: "VPS XS", Memory: 512, PrimaryStorage: 10, CPUCores: 1,
			Traffic:                    ptr(virtfusion.TrafficGB(500)),
			PrimaryStorageWriteIOPSSec: provisioning.Some(int64(400))})
		require.NoError(t, err)
		assert.False(t, bool(made.Enabled))
		order := virtfusion.CreateServerRequest{PackageID: made.ID, UserID: virtfusion.UserID(m.owner),
			HypervisorGroupID: virtfusion.HypervisorGroupID(virtfusiontest.GroupAmsterdam)}
		_, err = m.client.Servers.Create(ctx, order)
		require.ErrorIs(t, err, provisioning.Invalid, "it is disabled")
		_, err = m.client.Packages.Update(ctx, made.ID, virtfusion.PackageRequest{Enabled: ptr(true), PrimaryStorageWriteIOPSSec: provisioning.Null[int64]()})
		require.NoError(t, err)
		read, err := m.client.Packages.Get(ctx, made.ID)
		require.NoError(t, err)
		assert.Zero(t, read.PrimaryStorageWriteIOPSSec, "null took the limit away")
		server, err := m.client.Servers.Create(ctx, order)
		require.NoError(t, err)
		assert.Equal(t, virtfusion.MB(512), server.Settings.Resources.Memory)

		duplicate, err := m.client.Packages.Duplicate(ctx, made.ID, "VPS XS copy")
		require.NoError(t, err)
		assert.False(t, bool(duplicate.Enabled))
		assert.Equal(t, read.Memory, duplicate.Memory)
		require.ErrorIs(t, m.client.Packages.Delete(ctx, made.ID, virtfusion.DeletePackageOptions{}), provisioning.Conflict)
		require.NoError(t, m.client.Packages.Delete(ctx, made.ID, virtfusion.DeletePackageOptions{Force: true}))
		require.NoError(t, m.client.Packages.Delete(ctx, duplicate.ID, virtfusion.DeletePackageOptions{}))
		_, err = m.client.Packages.Get(ctx, made.ID)
		require.ErrorIs(t, err, provisioning.NotFound)

		m.Inject(provisioningtest.Fault{Op: "createPackage", Do: provisioningtest.CutAfter})
		_, err = m.client.Packages.Create(ctx, virtfusion.PackageRequest{Name: "VPS once"})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		all, err := m.client.Packages.List(ctx)
		require.NoError(t, err)
		n := 0
		for _, p := range all {
			if p.Name == "VPS once" {
				n++
			}
		}
		assert.Equal(t, 1, n)
	})
}

func TestAHypervisorIsClosed(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx := t.Context()
		order := virtfusion.CreateServerRequest{PackageID: 1, UserID: virtfusion.UserID(m.owner),
			HypervisorGroupID: virtfusion.HypervisorGroupID(virtfusiontest.GroupFrankfurt)}
		first, err := m.client.Servers.Create(ctx, order)
		require.NoError(t, err)
		_, err = m.client.Hypervisors.Update(ctx, first.HypervisorID, virtfusion.UpdateHypervisorRequest{Prohibit: ptr(true), Name: "fra-closed"})
		require.NoError(t, err)
		_, err = m.client.Servers.Create(ctx, order)
		require.ErrorIs(t, err, provisioning.Capacity)
		h, err := m.client.Hypervisors.Get(ctx, first.HypervisorID)
		require.NoError(t, err)
		assert.True(t, bool(h.Prohibit))
		assert.Equal(t, "fra-closed", h.Name)
		_, err = m.client.Hypervisors.Update(ctx, first.HypervisorID, virtfusion.UpdateHypervisorRequest{Prohibit: ptr(false)})
		require.NoError(t, err)
		_, err = m.client.Servers.Create(ctx, order)
		require.NoError(t, err)
		err = m.client.Do(ctx, http.MethodPut, "/compute/hypervisors/"+text(int64(first.HypervisorID)), map[string]any{"colour": "red"}, nil)
		require.ErrorIs(t, err, provisioning.Invalid, "unknown members are refused")
	})
}

func TestCreditIsTheUsersAndNotTheServers(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx, self, owner := t.Context(), m.client.SelfService, virtfusion.ExtRelationID(ownerRef)
		balance := func() virtfusion.Decimal {
			stats, err := self.HourlyStats(ctx, owner, virtfusion.UsageOptions{})
			require.NoError(t, err)
			return stats.Credit.Value
		}
		require.Equal(t, virtfusion.Decimal("0"), balance())
		first, err := self.AddCredit(ctx, owner, virtfusion.AddCreditRequest{Tokens: "0.10", Reference1: 7})
		require.NoError(t, err)
		_, err = self.AddCredit(ctx, owner, virtfusion.AddCreditRequest{Tokens: "0.20"})
		require.NoError(t, err)
		assert.Equal(t, virtfusion.Decimal("0.3"), balance(), "exactly")

		before := balance()
		m.Inject(provisioningtest.Fault{Op: "addCredit", Do: provisioningtest.CutAfter})
		_, err = self.AddCredit(ctx, owner, virtfusion.AddCreditRequest{Tokens: "5"})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 3, m.Count("addCredit"), "money is not sent twice")
		assert.NotEqual(t, before, balance(), "the balance tells that it was applied")

		require.NoError(t, self.CancelCredit(ctx, first.ID))
		assert.Equal(t, "5.2", m.Balance(m.owner))
		require.ErrorIs(t, self.CancelCredit(ctx, first.ID), provisioning.NotFound)
		_, err = self.AddCredit(ctx, virtfusion.ExtRelationID(99), virtfusion.AddCreditRequest{Tokens: "5"})
		require.ErrorIs(t, err, provisioning.NotFound)

		report, err := self.Report(ctx, owner, virtfusion.ReportOptions{MonthsBack: 2})
		require.NoError(t, err)
		assert.False(t, report.Usage.MonthlyTotal.Value.Told())
		assert.Equal(t, time.Now().UTC().AddDate(0, -2, 0).Format("January 2006"), report.Usage.Term)
		usage, err := self.Usage(ctx, owner, virtfusion.UsageOptions{Range: virtfusion.RangeMonth})
		require.NoError(t, err)
		assert.Equal(t, virtfusion.UserID(m.owner), usage.User.ID)
		require.Len(t, usage.Periods, 1)
		assert.True(t, bool(usage.Periods[0].CurrentPeriod))
		currencies, err := self.Currencies(ctx)
		require.NoError(t, err)
		assert.True(t, bool(currencies[0].Default))
	})
}

func TestProfilesDecideWhatAUserMayMake(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx, self, owner := t.Context(), m.client.SelfService, virtfusion.ExtRelationID(ownerRef)
		user := func() *virtfusion.User {
			u, err := m.client.Users.GetByExtRelation(ctx, owner)
			require.NoError(t, err)
			return u
		}
		hourly, packs := virtfusion.HourlyGroupProfileID(virtfusiontest.HourlyProfile), virtfusion.ResourceGroupProfileID(virtfusiontest.ResourceProfile)
		require.NoError(t, self.AddHourlyGroupProfile(ctx, owner, hourly))
		require.NoError(t, self.AddResourceGroupProfile(ctx, owner, packs))
		require.ErrorIs(t, self.AddHourlyGroupProfile(ctx, owner, virtfusion.HourlyGroupProfileID(packs)), provisioning.Invalid, "the ids are of different tables")
		require.NoError(t, self.RecomputeAccess(ctx, owner, true))
		require.NoError(t, self.SetHourlyResourcePack(ctx, owner, virtfusion.ResourcePackID(virtfusiontest.PackSmall)))
		u := user()
		assert.Equal(t, virtfusion.SelfServiceBoth, u.SelfService)
		assert.Equal(t, []virtfusion.HourlyGroupProfileID{hourly}, u.SelfServiceHourlyGroupProfiles)
		assert.Equal(t, virtfusion.ResourcePackID(virtfusiontest.PackSmall), u.SelfServiceHourlyResourcePack)
		require.NoError(t, self.RemoveHourlyGroupProfile(ctx, owner, hourly))
		require.NoError(t, self.RecomputeAccess(ctx, owner, true))
		assert.Equal(t, virtfusion.SelfServiceResourcePacks, user().SelfService)
		require.ErrorIs(t, self.RemoveHourlyGroupProfile(ctx, owner, hourly), provisioning.NotFound)
		require.NoError(t, self.RemoveResourceGroupProfile(ctx, owner, packs))
	})
}

func TestThePackOfAUserHasAnotherIDThanItsOffer(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		ctx, self, owner := t.Context(), m.client.SelfService, virtfusion.ExtRelationID(ownerRef)
		offer := virtfusion.ResourcePackID(virtfusiontest.PackSmall)
		added, err := self.AddResourcePack(ctx, owner, virtfusion.AddResourcePackRequest{PackID: offer, Enabled: true})
		require.NoError(t, err)
		_, err = self.GetResourcePack(ctx, virtfusion.UserPackID(offer), virtfusion.GetResourcePackOptions{})
		require.ErrorIs(t, err, provisioning.NotFound)
		require.NoError(t, m.AddToPack(int64(added.ID), m.server))
		pack, err := self.GetResourcePack(ctx, added.ID, virtfusion.GetResourcePackOptions{WithServers: true})
		require.NoError(t, err)
		assert.Equal(t, offer, pack.PackID)
		assert.Equal(t, virtfusion.MB(2048), pack.Used.Memory)
		assert.InDelta(t, 50, float64(pack.Usage.Servers.Percent), 0.01)
		assert.Contains(t, string(pack.Servers), text(m.server))

		require.NoError(t, self.SuspendResourcePackServers(ctx, added.ID))
		assert.True(t, m.view().Suspended)
		require.NoError(t, self.UnsuspendResourcePackServers(ctx, added.ID))
		assert.False(t, m.view().Suspended)
		require.NoError(t, self.SetResourcePackEnabled(ctx, added.ID, false))
		enabled, _ := m.PackEnabled(int64(added.ID))
		assert.False(t, enabled)
		require.NoError(t, self.SetResourcePackEnabled(ctx, added.ID, true))

		require.ErrorIs(t, self.DeleteResourcePack(ctx, added.ID, virtfusion.DeleteResourcePackOptions{}), provisioning.Conflict)
		require.NoError(t, self.DeleteResourcePack(ctx, added.ID, virtfusion.DeleteResourcePackOptions{DisableInstead: true}))
		enabled, exists := m.PackEnabled(int64(added.ID))
		assert.True(t, exists)
		assert.False(t, enabled)

		require.NoError(t, self.DeleteResourcePackServers(ctx, added.ID, virtfusion.DeleteServerOptions{DelayMinutes: 1}))
		assert.Equal(t, time.Now().Add(time.Minute).UTC(), m.view().DeletionAt)
		time.Sleep(time.Minute + 2*time.Second)
		assert.False(t, m.view().DeletedAt.IsZero())
		require.NoError(t, self.DeleteResourcePack(ctx, added.ID, virtfusion.DeleteResourcePackOptions{}))
		_, exists = m.PackEnabled(int64(added.ID))
		assert.False(t, exists)
	})
}

// What a panel does not have yet is told with the version that brings it.
func TestAnOldPanelNamesTheVersionThatIsNeeded(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.client.Servers.CreateBackup(t.Context(), m.sid())
		require.ErrorIs(t, err, provisioning.NoRoute)
		require.ErrorContains(t, err, "7.1")
		err = m.client.Servers.SetBackupAccess(t.Context(), m.sid(), virtfusion.BackupAccessFull)
		require.ErrorIs(t, err, provisioning.NoRoute)
		require.ErrorContains(t, err, "7.0")
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		_, err = m.client.Packages.Create(t.Context(), virtfusion.PackageRequest{Name: "VPS"})
		require.ErrorIs(t, err, provisioning.NoRoute, "405")
		require.ErrorContains(t, err, "7.1")
	}, virtfusiontest.WithVersion(virtfusiontest.V62))
}
