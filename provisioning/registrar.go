package provisioning

import (
	"context"
	"time"
)

// RecordID names a record on a panel that only keeps records.
type RecordID string

// RecordStatus is what such a panel shows to the customer.
type RecordStatus string

// The record statuses. There is none for deleted or failed: a record is removed by Unregister and by nothing else.
const (
	RecordCreating  RecordStatus = "creating"
	RecordRunning   RecordStatus = "running"
	RecordStopped   RecordStatus = "stopped"
	RecordSuspended RecordStatus = "suspended"
)

// RecordStatusOf maps an observed server to what a record may say. Suspension by billing or by the panel wins; ok is false when nothing may be sent, because the
// power state is not known or the server failed: silence is better than a guess.
func RecordStatusOf(i Instance, billingSuspended bool) (status RecordStatus, ok bool) {
	switch {
	case billingSuspended || i.Suspended:
		return RecordSuspended, true
	case i.Phase == PhaseAllocated, i.Phase == PhaseBuilding:
		return RecordCreating, true
	case i.Phase != PhaseReady:
		return "", false
	case i.Power == PowerRunning:
		return RecordRunning, true
	case i.Power == PowerStopped:
		return RecordStopped, true
	}
	return "", false
}

// Record is a server as a record-keeping panel stores it.
type Record struct {
	Key      string // makes the name findable: it becomes part of the record's name
	OwnerRef string // the billing system's id of the customer; the registrar resolves the panel's own
	Status   RecordStatus
	Memory   Bytes
	Disk     Bytes
	VCPUs    int
	Image    string // operating system as text
	// Hypervisor is the panel's word for the kind of hypervisor; "" is its default.
	Hypervisor string
}

// Registrar keeps records of servers made elsewhere. It touches no hypervisor. Methods are safe for concurrent use, but calls for one record must not overlap: the panels
// have no versions, so the later answer would win.
type Registrar interface {
	// Register makes a record. It is sent at most once: an unclear answer is ErrMaybeApplied, and repeating it may make a second record.
	Register(ctx context.Context, r Record) (RecordID, error)
	// SetRecordStatus gives the same end state when repeated.
	SetRecordStatus(ctx context.Context, id RecordID, s RecordStatus) error
	// Unregister removes the record. A record that the panel says does not exist counts as removed.
	Unregister(ctx context.Context, id RecordID) error
}

// FoundRecord is a record read back from the panel.
type FoundRecord struct {
	ID      RecordID
	Name    string
	Status  string // the panel's own word
	Memory  Bytes
	Disk    Bytes
	VCPUs   int
	Image   string
	Created time.Time
}

// RegistrarFinder is implemented by registrars that can search. It resolves an unclear Register.
type RegistrarFinder interface {
	// FindRecords returns the records that could be the one of r. Finding none is an empty slice; failing to look is an error.
	FindRecords(ctx context.Context, r Record) ([]FoundRecord, error)
}
