package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// DiskRef names a disk of a server in a path: by its id (DiskByID), or by its drive letter as a text of one letter, "b".
//
// A letter may stand for another disk when one before it is gone, so prefer ids: a deletion by letter is sent once, one by id may be repeated.
type DiskRef string

// DiskByID names a disk by its id. Which of the two ids of a ServerDisk the panel means is not documented: ID (1 is the primary disk) or RowID.
func DiskByID(id Int) DiskRef { return DiskRef(strconv.FormatInt(int64(id), 10)) }

func (r DiskRef) isLetter() bool { return len(r) == 1 && r[0] >= 'a' && r[0] <= 'z' }

func (r DiskRef) check() error {
	if id, err := strconv.ParseInt(string(r), 10, 64); r.isLetter() || err == nil && id > 0 && r == DiskByID(Int(id)) {
		return nil
	}
	return provisioning.InvalidField("diskRef", "must be a drive letter (a to z) or an id above 0, not %.20q", string(r))
}

// removal is the class of what takes a disk or its work away: by a letter, a repetition could hit another disk.
func (r DiskRef) removal() rest.Class {
	if r.isLetter() {
		return rest.Once
	}
	return rest.Set
}

// DiskBus is how a disk is attached.
type DiskBus string

// The buses.
const (
	DiskBusDefault          DiskBus = "default"
	DiskBusVirtIO           DiskBus = "virtio"
	DiskBusVirtIOSCSI       DiskBus = "virtio-scsi"
	DiskBusSATA             DiskBus = "sata"
	DiskBusVirtIODiscard    DiskBus = "virtio-discard"
	DiskBusVirtIOSCSISingle DiskBus = "virtio-scsi-single"
)

// DiskCache is how a hypervisor caches a disk. A hypervisor's own default may also be "inherit".
type DiskCache string

// The cache modes.
const (
	DiskCacheDefault      DiskCache = "default" // of disks
	DiskCacheInherit      DiskCache = "inherit" // of hypervisors
	DiskCacheNone         DiskCache = "none"
	DiskCacheWriteThrough DiskCache = "writethrough"
	DiskCacheWriteBack    DiskCache = "writeback"
	DiskCacheDirectSync   DiskCache = "directsync"
	DiskCacheUnsafe       DiskCache = "unsafe"
)

// DiskIO is how a hypervisor reads and writes a disk.
type DiskIO string

// The modes.
const (
	DiskIODefault DiskIO = "default"
	DiskIOThreads DiskIO = "threads"
	DiskIONative  DiskIO = "native"
	DiskIOUring   DiskIO = "io_uring"
	DiskIONone    DiskIO = "none"
)

// DiskFormat is the format of a disk's image.
type DiskFormat string

// The formats. Inherit is for packages and hypervisors.
const (
	DiskFormatInherit DiskFormat = "inherit"
	DiskFormatQCOW2   DiskFormat = "qcow2"
	DiskFormatRaw     DiskFormat = "raw"
)

// Filesystem is what the panel makes on a new disk.
type Filesystem string

// The file systems.
const (
	FilesystemNone  Filesystem = "none"
	FilesystemExt3  Filesystem = "ext3"
	FilesystemExt4  Filesystem = "ext4"
	FilesystemXFS   Filesystem = "xfs"
	FilesystemNTFS  Filesystem = "ntfs"
	FilesystemBtrfs Filesystem = "btrfs"
)

// DiskQoS limits a disk. 0 and null are no limit; what is absent stays as it is.
type DiskQoS struct {
	ReadIOPS         provisioning.Opt[int64] `json:"readIops,omitzero"`
	WriteIOPS        provisioning.Opt[int64] `json:"writeIops,omitzero"`
	ReadBytesPerSec  provisioning.Opt[int64] `json:"readBytes,omitzero"`
	WriteBytesPerSec provisioning.Opt[int64] `json:"writeBytes,omitzero"`
}

// maxQoS is the largest limit that the panel takes.
const maxQoS = 99_999_999_999_999

func (q *DiskQoS) check() error {
	if q == nil {
		return nil
	}
	for _, limit := range []struct {
		field string
		value provisioning.Opt[int64]
	}{{"qos.readIops", q.ReadIOPS}, {"qos.writeIops", q.WriteIOPS}, {"qos.readBytes", q.ReadBytesPerSec}, {"qos.writeBytes", q.WriteBytesPerSec}} {
		if n := limit.value.Or(0); n < 0 || n > maxQoS {
			return provisioning.InvalidField(limit.field, "must be between 0 and %d, not %d", int64(maxQoS), n)
		}
	}
	return nil
}

// CreateDiskRequest adds a disk. Only Size is needed.
type CreateDiskRequest struct {
	Size           GB             `json:"sizeGb"`
	StoragePointID StoragePointID `json:"storagePointId,omitzero"` // 0 is the local default
	Filesystem     Filesystem     `json:"filesystem,omitzero"`     // none when it is left out
	Format         DiskFormat     `json:"format,omitzero"`         // qcow2 when it is left out; the panel takes raw on StorPool and Ceph
	Bus            DiskBus        `json:"bus,omitzero"`
	Cache          DiskCache      `json:"cache,omitzero"`
	IO             DiskIO         `json:"io,omitzero"`
	QoS            *DiskQoS       `json:"qos,omitempty"`
}

func (r *CreateDiskRequest) check() error {
	switch {
	case r.Size < 1:
		return provisioning.InvalidField("sizeGb", "must be at least 1 GB, not %d", r.Size)
	case r.StoragePointID < 0:
		return provisioning.InvalidField("storagePointId", "must not be below 0")
	}
	return r.QoS.check()
}

// UpdateDiskRequest changes a disk. What is left out stays as it is.
type UpdateDiskRequest struct {
	Bus     DiskBus   `json:"bus,omitzero"`
	Cache   DiskCache `json:"cache,omitzero"`
	IO      DiskIO    `json:"io,omitzero"`
	QoS     *DiskQoS  `json:"qos,omitempty"`
	Enabled *bool     `json:"enabled,omitempty"` // not for the primary disk
	Size    GB        `json:"sizeGb,omitzero"`   // disks only grow
	// Apply brings the limits of QoS to the running server. The panel takes it only together with QoS; without it everything is stored only.
	Apply bool `json:"apply,omitzero"`
}

func (r *UpdateDiskRequest) check() error {
	switch {
	case *r == UpdateDiskRequest{}:
		return provisioning.InvalidField("disk", "nothing to change is given")
	case r.Apply && r.QoS == nil:
		return provisioning.InvalidField("apply", "needs qos")
	case r.Size < 0:
		return provisioning.InvalidField("sizeGb", "must not be below 0")
	}
	return r.QoS.check()
}

// DeleteDiskOptions tunes DeleteDisk.
type DeleteDiskOptions struct {
	// Confirm allows to delete a disk that is in use, with its data. Without it the panel deletes only disks that were not made yet. It is always sent.
	Confirm bool `json:"confirm"`
}

// CancelledDiskAction is what CancelDiskAction answers.
//
// Experimental: only the one member is documented, so Data keeps the whole answer.
type CancelledDiskAction struct {
	ActionID ServerActionID  `json:"cancelledActionId"` // 0 when the panel names none, which may mean that nothing was waiting
	Data     json.RawMessage `json:"-"`
}

// UnmarshalJSON reads what is known and keeps all of it.
func (a *CancelledDiskAction) UnmarshalJSON(b []byte) error {
	type plain CancelledDiskAction
	*a = CancelledDiskAction{}
	return readPartly(b, (*plain)(a), &a.Data)
}

// Disks returns what the panel tells about a server's disks: settings, storage point and what waits, the primary disk first. Panel 7.1; on older ones see
// Server.Storage.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /servers/{serverId}/disks
func (s *ServersService) Disks(ctx context.Context, id ServerID, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "listServerDisks", Since: panel71, Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", id, "disks"}}, opts)
}

// Disk returns what the panel tells about one disk. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came.
//
// Class: read.
// API: GET /servers/{serverId}/disks/{diskRef}
func (s *ServersService) Disk(ctx context.Context, id ServerID, disk DiskRef, opts ...CallOption) (json.RawMessage, error) {
	return s.disk(ctx, rest.Call{Op: "getServerDisk", Class: rest.Read, Method: http.MethodGet}, id, disk, opts)
}

// CreateDisk adds a disk to a built server, which can have sixteen. The panel makes it at the server's next power action (Server.Tasks lists it until then). It
// is sent once: after ErrMaybeApplied look at Server.Storage. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: once.
// API: POST /servers/{serverId}/disks
func (s *ServersService) CreateDisk(ctx context.Context, id ServerID, r CreateDiskRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetchRaw(ctx, s.rest, rest.Call{Op: "createServerDisk", Since: panel71, Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "disks"}, In: r}, opts)
}

// UpdateDisk changes a disk. The panel stores the change and carries it out at the server's next power action, except for limits with Apply. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: set.
// API: PUT /servers/{serverId}/disks/{diskRef}
func (s *ServersService) UpdateDisk(ctx context.Context, id ServerID, disk DiskRef, r UpdateDiskRequest, opts ...CallOption) (json.RawMessage, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.disk(ctx, rest.Call{Op: "updateServerDisk", Class: rest.Set, Method: http.MethodPut, In: r}, id, disk, opts)
}

// DeleteDisk deletes a disk, but never the primary one. A disk in use needs Confirm and is destroyed at the server's next power action; one that was not made
// yet is gone at once. By letter it is sent once, because the letter may then stand for another disk. Panel 7.1.
//
// Experimental: nobody has published the answer, so it is kept as it came. It may be nil.
//
// Class: set, but once by letter.
// API: DELETE /servers/{serverId}/disks/{diskRef}
func (s *ServersService) DeleteDisk(ctx context.Context, id ServerID, disk DiskRef, o DeleteDiskOptions, opts ...CallOption) (json.RawMessage, error) {
	return s.disk(ctx, rest.Call{Op: "deleteServerDisk", Class: disk.removal(), Method: http.MethodDelete, In: o}, id, disk, opts)
}

func (s *ServersService) disk(ctx context.Context, call rest.Call, id ServerID, disk DiskRef, opts []CallOption) (json.RawMessage, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := disk.check(); err != nil {
		return nil, err
	}
	call.Since, call.Path = panel71, []any{"servers", id, "disks", disk}
	return fetchRaw(ctx, s.rest, call, opts)
}

// CancelDiskAction takes back the oldest work that waits for a disk, also failed work, which otherwise keeps the server from being built. It is sent once,
// because each repetition takes back the next one. Panel 7.1. Some outcomes have no body: the answer then names no action.
//
// Class: once.
// API: DELETE /servers/{serverId}/disks/{diskRef}/pending
func (s *ServersService) CancelDiskAction(ctx context.Context, id ServerID, disk DiskRef, opts ...CallOption) (*CancelledDiskAction, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := disk.check(); err != nil {
		return nil, err
	}
	return fetchPartly[CancelledDiskAction](ctx, s.rest, rest.Call{Op: "cancelServerDiskPending", Since: panel71, Class: rest.Once, Method: http.MethodDelete,
		Path: []any{"servers", id, "disks", disk, "pending"}}, nil, opts)
}

// GrowDisk makes a disk larger; the panel refuses to make one smaller. drive is its letter, "a" for the primary disk. That a running guest sees the new size
// only after a power action is a guess, see Server.Tasks. Panel 7.1: the documentation names no version, but the descriptions of 7.0 and 6.2 do not have it.
//
// Class: set.
// API: PUT /servers/{serverId}/modify/storage
func (s *ServersService) GrowDisk(ctx context.Context, id ServerID, drive string, size GB, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if !DiskRef(drive).isLetter() {
		return provisioning.InvalidField("drive", "must be a letter, a to z, not %.20q", drive)
	}
	if size < 1 {
		return provisioning.InvalidField("size", "must be at least 1 GB, not %d", size)
	}
	in := struct {
		Drive string `json:"drive"`
		Size  GB     `json:"size"`
	}{drive, size}
	return s.rest.Do(ctx, rest.Call{Op: "modifyServerStorage", Since: panel71, Class: rest.Set, Method: http.MethodPut,
		Path: []any{"servers", id, "modify", "storage"}, In: in}, opts...)
}
