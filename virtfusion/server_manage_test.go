package virtfusion_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// manageWrites are the classes of the writes in serverManagement.
var manageWrites = map[string]string{
	"PUT /servers/417/modify/memory": "set", "PUT /servers/417/modify/cpuCores": "set", "PUT /servers/417/modify/cpuThrottle": "set",
	"PUT /servers/417/modify/storage": "set",
	"PUT /servers/417/owner/24":       "set", "POST /servers/417/customXML": "set",
	"PUT /servers/417/backups/plan/5": "set", "PUT /servers/417/backups/plan/0": "set", "PUT /servers/417/backupManager/access": "set",
	"POST /servers/417/backupManager/backup": "once", "POST /servers/417/backupManager/restore": "once",
	"POST /servers/417/disks": "once", "PUT /servers/417/disks/2": "set", "DELETE /servers/417/disks/2": "set", "DELETE /servers/417/disks/b": "once",
	"DELETE /servers/417/disks/2/pending": "once", "DELETE /servers/417/disks/b/pending": "once",
	"POST /servers/417/rescue": "once", "POST /servers/417/hypervisorAssets/8": "once", "POST /servers/417/media/iso": "set",
	"DELETE /servers/417/media/iso": "set",
}

func serverManagement() []operation {
	return append(append(resourceOperations(), backupOperations()...), deviceOperations()...)
}

// unseen is what comes of an answer that nobody has published.
func unseen(t *testing.T, got any) { assert.JSONEq(t, `{}`, string(got.(json.RawMessage))) }

func resourceOperations() []operation {
	return []operation{{
		name: "set the memory", fixture: "modifyServerMemory.201", method: "PUT", path: "/servers/417/modify/memory", body: `{"memory":8192}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetMemory(ctx, 417, 8192)
		},
	}, {
		name: "set the cores", fixture: "modifyServerCpuCores.201", method: "PUT", path: "/servers/417/modify/cpuCores", body: `{"cores":4}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetCPUCores(ctx, 417, 4)
		},
	}, {
		name: "throttle the processor at the next start", fixture: "throttleServerCpu.201", method: "PUT", path: "/servers/417/modify/cpuThrottle",
		body: `{"percent":50}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.ThrottleCPU(ctx, 417, 50, virtfusion.ThrottleCPUOptions{})
		},
	}, {
		name: "lift the throttle now", fixture: "throttleServerCpu.201", method: "PUT", path: "/servers/417/modify/cpuThrottle", query: "sync=true",
		body: `{"percent":0}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.ThrottleCPU(ctx, 417, 0, virtfusion.ThrottleCPUOptions{Sync: true})
		},
	}, {
		name: "change the owner", fixture: "changeServerOwner.201", method: "PUT", path: "/servers/417/owner/24",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.ChangeOwner(ctx, 417, 24)
		},
	}, {
		name: "set custom XML, with an empty section and one that is switched off", fixture: "setServerCustomXml.200", method: "POST", path: "/servers/417/customXML",
		body: `{"domain":"","devices":"<rng/>","domainEnabled":false,"devicesEnabled":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetCustomXML(ctx, 417, virtfusion.CustomXML{Domain: ptr(""), Devices: ptr("<rng/>"), DomainEnabled: ptr(false),
				DevicesEnabled: ptr(true)})
		},
	}, {
		name: "list the failed actions", fixture: "listServerActions.200", method: "GET", path: "/servers/417/actions", query: "page=1&results=200&state=failed",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return collect(c.Servers.ListActions(ctx, 417, virtfusion.ListActionsOptions{State: virtfusion.ActionFailed}))
		},
		check: func(t *testing.T, got any) {
			actions := got.([]virtfusion.ServerAction)
			require.Len(t, actions, 2)
			assert.Equal(t, virtfusion.ServerActionID(61), actions[0].ID)
			assert.Equal(t, "Create HDD (sdb)", actions[0].Action)
			assert.Equal(t, virtfusion.ServerActionID(62), actions[1].ID)
			assert.Equal(t, virtfusion.ActionPending, actions[1].State)
			assert.Empty(t, actions[1].Action)
			assert.Contains(t, string(actions[1].Data), "surprise", "a member of another shape loses nothing")
		},
	}, {
		name: "grow a disk", fixture: "modifyServerStorage.201", method: "PUT", path: "/servers/417/modify/storage", body: `{"drive":"a","size":80}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.GrowDisk(ctx, 417, "a", 80)
		},
	}, {
		name: "list the disks", fixture: "listServerDisks.200", method: "GET", path: "/servers/417/disks",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.Disks(ctx, 417) },
		check: unseen,
	}, {
		name: "read a disk by its letter", fixture: "getServerDisk.200", method: "GET", path: "/servers/417/disks/b",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.Disk(ctx, 417, "b") },
		check: unseen,
	}, {
		name: "add a disk without limits", fixture: "createServerDisk.201", method: "POST", path: "/servers/417/disks", body: `{"sizeGb":100}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.CreateDisk(ctx, 417, virtfusion.CreateDiskRequest{Size: 100})
		},
		check: unseen,
	}, {
		name: "add a disk with everything", fixture: "createServerDisk.201", method: "POST", path: "/servers/417/disks",
		body: `{"sizeGb":1,"storagePointId":6,"filesystem":"ext4","format":"raw","bus":"virtio-scsi","cache":"none","io":"io_uring",
			"qos":{"readIops":0,"writeIops":500,"readBytes":null}}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.CreateDisk(ctx, 417, virtfusion.CreateDiskRequest{Size: 1, StoragePointID: 6, Filesystem: virtfusion.FilesystemExt4,
				Format: virtfusion.DiskFormatRaw,
				Bus:    virtfusion.DiskBusVirtIOSCSI, Cache: virtfusion.DiskCacheNone, IO: virtfusion.DiskIOUring,
				QoS: &virtfusion.DiskQoS{ReadIOPS: provisioning.Some(int64(0)), WriteIOPS: provisioning.Some(int64(500)), ReadBytesPerSec: provisioning.Null[int64]()}})
		},
	}, {
		name: "lift the limits of a disk now", fixture: "updateServerDisk.200", method: "PUT", path: "/servers/417/disks/2",
		body: `{"qos":{"writeIops":null},"apply":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.UpdateDisk(ctx, 417, virtfusion.DiskByID(2), virtfusion.UpdateDiskRequest{QoS: &virtfusion.DiskQoS{WriteIOPS: provisioning.Null[int64]()},
				Apply: true})
		},
		check: unseen,
	}, {
		name: "switch a disk off", fixture: "updateServerDisk.200", method: "PUT", path: "/servers/417/disks/2", body: `{"enabled":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.UpdateDisk(ctx, 417, virtfusion.DiskByID(2), virtfusion.UpdateDiskRequest{Enabled: ptr(false)})
		},
	}, {
		name: "delete a disk in use by its id", fixture: "deleteServerDisk.200", method: "DELETE", path: "/servers/417/disks/2", body: `{"confirm":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.DeleteDisk(ctx, 417, virtfusion.DiskByID(2), virtfusion.DeleteDiskOptions{Confirm: true})
		},
		check: unseen,
	}, {
		name: "delete a disk that was not made yet by its letter", fixture: "deleteServerDisk.200", method: "DELETE", path: "/servers/417/disks/b",
		body: `{"confirm":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.DeleteDisk(ctx, 417, "b", virtfusion.DeleteDiskOptions{})
		},
	}, {
		name: "take back what waits for a disk", fixture: "cancelServerDiskPending.200", method: "DELETE", path: "/servers/417/disks/2/pending",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.CancelDiskAction(ctx, 417, virtfusion.DiskByID(2))
		},
		check: func(t *testing.T, got any) {
			assert.Equal(t, virtfusion.ServerActionID(61), got.(*virtfusion.CancelledDiskAction).ActionID)
		},
	}, {
		name: "take back what waits for a disk where the panel names nothing", fixture: "cancelServerDiskPending.204", method: "DELETE",
		path: "/servers/417/disks/b/pending",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.CancelDiskAction(ctx, 417, "b")
		},
		check: func(t *testing.T, got any) { assert.Zero(t, got.(*virtfusion.CancelledDiskAction).ActionID) },
	}}
}

func backupOperations() []operation {
	until := time.Date(2026, 3, 2, 1, 0, 1, 0, time.UTC)
	return []operation{{
		name: "list legacy backups", fixture: "listLegacyServerBackups.200", method: "GET", path: "/backups/server/417",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.LegacyBackups(ctx, 417) },
		check: func(t *testing.T, got any) {
			all := got.([]virtfusion.Backup)
			require.Len(t, all, 2)
			assert.True(t, bool(all[0].Complete))
			assert.True(t, all[0].DeleteAfter.IsZero())
			assert.True(t, bool(all[1].Progress))
			assert.Equal(t, "Backup Store 1", all[1].Storage.Name)
		},
	}, {
		name: "set a backup plan", fixture: "setServerBackupPlan.201", method: "PUT", path: "/servers/417/backups/plan/5",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetBackupPlan(ctx, 417, 5)
		},
	}, {
		name: "take the backup plan away", fixture: "setServerBackupPlan.201", method: "PUT", path: "/servers/417/backups/plan/0",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetBackupPlan(ctx, 417, 0)
		},
	}, {
		name: "set the access to backups", fixture: "modifyBackupManagerAccess.201", method: "PUT", path: "/servers/417/backupManager/access",
		body: `{"type":"view_restore"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return nil, c.Servers.SetBackupAccess(ctx, 417, virtfusion.BackupAccessViewAndRestore)
		},
	}, {
		name: "make a backup", fixture: "createServerBackup.200", method: "POST", path: "/servers/417/backupManager/backup",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.CreateBackup(ctx, 417) },
		check: unseen,
	}, {
		name: "restore disks", fixture: "restoreServerBackup.200", method: "POST", path: "/servers/417/backupManager/restore",
		body: `{"disks":["1","2"],"diskChains":{"1":9},"diskUntils":{"2":1772413201}}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.RestoreBackup(ctx, 417, virtfusion.RestoreBackupRequest{Disks: []virtfusion.RestoreDisk{{Number: 1, Chain: 9}, {Number: 2, Until: until}}})
		},
		check: unseen,
	}, {
		name: "restore the latest state of a disk", fixture: "restoreServerBackup.200", method: "POST", path: "/servers/417/backupManager/restore",
		body: `{"disks":["1"]}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.RestoreBackup(ctx, 417, virtfusion.RestoreBackupRequest{Disks: []virtfusion.RestoreDisk{{Number: 1}}})
		},
	}}
}

func deviceOperations() []operation {
	return []operation{{
		name: "read the rescue system", fixture: "getServerRescue.200", method: "GET", path: "/servers/417/rescue",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.Rescue(ctx, 417) },
		check: func(t *testing.T, got any) {
			assert.Contains(t, got.(provisioning.Secret).Reveal(), `"password": "fixture-rescue-password"`)
		},
	}, {
		name: "start the rescue system without mail", fixture: "enableServerRescue.200", method: "POST", path: "/servers/417/rescue", body: `{"sendMail":false}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.EnableRescue(ctx, 417, virtfusion.EnableRescueRequest{})
		},
		check: func(t *testing.T, got any) { assert.Contains(t, got.(provisioning.Secret).Reveal(), `"queueId": 2011`) },
	}, {
		name: "start another rescue system with mail", fixture: "enableServerRescue.200", method: "POST", path: "/servers/417/rescue",
		body: `{"imageId":2,"sendMail":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.EnableRescue(ctx, 417, virtfusion.EnableRescueRequest{ImageID: 2, SendMail: true})
		},
	}, {
		name: "list the assets that could be attached", fixture: "listAvailableHypervisorAssets.200", method: "GET", path: "/servers/417/hypervisorAssets/available",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.AvailableAssets(ctx, 417)
		},
		check: unseen,
	}, {
		name: "attach an asset", fixture: "attachHypervisorAsset.200", method: "POST", path: "/servers/417/hypervisorAssets/8",
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.AttachAsset(ctx, 417, 8)
		},
		check: unseen,
	}, {
		name: "read the CD-ROM drive", fixture: "getServerIso.200", method: "GET", path: "/servers/417/media/iso",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.ISO(ctx, 417) },
		check: unseen,
	}, {
		name: "mount an image of the library", fixture: "mountServerIso.200", method: "POST", path: "/servers/417/media/iso", body: `{"isoId":14}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.MountISO(ctx, 417, virtfusion.MountISORequest{ISOID: 14})
		},
		check: unseen,
	}, {
		name: "mount an image from the web", fixture: "mountServerIso.200", method: "POST", path: "/servers/417/media/iso",
		body: `{"url":"https://mirror.example.com/a/b-1.0_x.iso"}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.MountISO(ctx, 417, virtfusion.MountISORequest{URL: "https://mirror.example.com/a/b-1.0_x.iso"})
		},
	}, {
		name: "eject the image", fixture: "ejectServerIso.200", method: "DELETE", path: "/servers/417/media/iso",
		call:  func(ctx context.Context, c *virtfusion.Client) (any, error) { return c.Servers.EjectISO(ctx, 417) },
		check: unseen,
	}, {
		name: "open the console in the other form", fixture: "setServerVnc.200", method: "POST", path: "/servers/417/vnc", body: `{"vnc":true}`,
		call: func(ctx context.Context, c *virtfusion.Client) (any, error) {
			return c.Servers.SwitchVNC(ctx, 417, true)
		},
		check: func(t *testing.T, got any) { assert.NotEmpty(t, got.(*virtfusion.VNC).WSS.Token) },
	}}
}

func TestAWriteWhoseAnswerNobodyHasSeenIsDoneWhateverItSays(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"nothing": ``, "null": `null`, "an empty list": `{"data":[]}`, "text": `{"data":"queued"}`,
		"another envelope": `{"info":["queued"]}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answered := answer{status: 200, body: []byte(body)}
			c, _ := newClient(t, answered)
			_, err := c.Servers.CreateBackup(t.Context(), 417)
			require.NoError(t, err)
			_, err = c.Servers.EnableRescue(t.Context(), 417, virtfusion.EnableRescueRequest{})
			require.NoError(t, err)
			cancelled, err := c.Servers.CancelDiskAction(t.Context(), 417, "b")
			require.NoError(t, err)
			assert.Zero(t, cancelled.ActionID)
		})
	}
	c, _ := newClient(t, answer{status: 200, body: []byte(`<html></html>`)})
	_, err := c.Servers.CreateBackup(t.Context(), 417)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied, "a page of a proxy is not the panel's word")
}

func TestRefusalsOfManagingAServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fixture string
		kind    provisioning.Kind
		call    func(context.Context, *virtfusion.Client) error
	}{
		"a backup while another runs": {"createServerBackup.422", provisioning.Invalid, func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.CreateBackup(ctx, 417)
			return err
		}},
		"an image of one's own where that is off": {"mountServerIso.409", provisioning.Conflict, func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Servers.MountISO(ctx, 417, virtfusion.MountISORequest{ISOID: 1})
			return err
		}},
		"more cores than are free": {"modifyServerCpuCores.422", provisioning.Capacity, func(ctx context.Context, c *virtfusion.Client) error {
			return c.Servers.SetCPUCores(ctx, 417, 64)
		}},
		"a package in use": {"deletePackage.409", provisioning.Conflict, func(ctx context.Context, c *virtfusion.Client) error {
			return c.Packages.Delete(ctx, 3, virtfusion.DeletePackageOptions{})
		}},
		"a login without the licence": {"createUserAuthenticationTokens.403", provisioning.Forbidden, func(ctx context.Context, c *virtfusion.Client) error {
			_, err := c.Users.CreateLogin(ctx, virtfusion.ExtRelationID(7001), virtfusion.LoginRequest{})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, from(t, tt.fixture))
			err := tt.call(t.Context(), c)
			require.ErrorIs(t, err, tt.kind)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
			assert.Len(t, panel.requests(), 1)
		})
	}
}
