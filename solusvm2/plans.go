package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Plan is what a server gets.
type Plan struct {
	ID                 PlanID             `json:"id"`
	Name               string             `json:"name"`
	VirtualizationType VirtualizationType `json:"virtualization_type"`
	Params             PlanParams         `json:"params"`
	StorageType        StorageType        `json:"storage_type"`
	ImageFormat        ImageFormat        `json:"image_format"`
	Limits             PlanLimits         `json:"limits"`

	TokensPerHour          Float `json:"tokens_per_hour"`
	TokensPerMonth         Float `json:"tokens_per_month"`
	IPTokensPerHour        Float `json:"ip_tokens_per_hour"`
	IPTokensPerMonth       Float `json:"ip_tokens_per_month"`
	ISOImageTokensPerHour  Float `json:"iso_image_tokens_per_hour"`
	ISOImageTokensPerMonth Float `json:"iso_image_tokens_per_month"`

	IsDefault                Bool `json:"is_default"`
	IsVisible                Bool `json:"is_visible"`
	IsSnapshotsEnabled       Bool `json:"is_snapshots_enabled"`  // the setting
	IsSnapshotAvailable      Bool `json:"is_snapshot_available"` // computed by the panel from setting and storage, a guess
	IsBackupAvailable        Bool `json:"is_backup_available"`
	IsAdditionalIPsAvailable Bool `json:"is_additional_ips_available"`

	BackupSettings   PlanBackupSettings `json:"backup_settings"`
	BackupPrice      Float              `json:"backup_price"` // percent of the plan's price, 0 to 100 (a guess)
	ResetLimitPolicy ResetLimitPolicy   `json:"reset_limit_policy"`
	TrafficLimitType TrafficLimitType   `json:"network_traffic_limit_type"`

	// For virtualization type vz only, which is a guess.
	Netfilter Netfilter      `json:"netfilter"`
	PPP       SwitchableBool `json:"ppp"`
	TUNTAP    SwitchableBool `json:"tun_tap"`

	Position Float     `json:"position"`
	Price    PlanPrice `json:"price"`

	AvailableLocations       []Ref `json:"available_locations"`
	AvailableOSImageVersions []Ref `json:"available_os_image_versions"`
	AvailableApplications    []Ref `json:"available_applications"`
}

func (p *Plan) key() (int64, string) { return int64(p.ID), "plan" }

// Traffic is the plan's monthly traffic in bytes, both directions together: null when it is not limited, absent when a unit is not known or the limit is not
// one number because the directions are limited apart and differently.
func (p *Plan) Traffic() provisioning.Opt[provisioning.Bytes] {
	if p.TrafficLimitType != TrafficSeparate {
		return allowance(p.Limits.NetworkTotalTraffic)
	}
	in, out := allowance(p.Limits.NetworkIncomingTraffic), allowance(p.Limits.NetworkOutgoingTraffic)
	if in.IsNull() && out.IsNull() {
		return in
	}
	return provisioning.Opt[provisioning.Bytes]{}
}

func allowance(l *TrafficLimit) provisioning.Opt[provisioning.Bytes] {
	if l == nil {
		return provisioning.Opt[provisioning.Bytes]{}
	}
	return l.Allowance()
}

// PlanParams are the sizes of a plan.
type PlanParams struct {
	Disk             GiB       `json:"disk"`
	RAM              ByteCount `json:"ram"`
	Swap             ByteCount `json:"swap"`
	VCPU             Int       `json:"vcpu"`
	VCPUUnits        Int       `json:"vcpu_units"`
	VCPULimitPercent Int       `json:"vcpu_limit"` // of one core; that it is percent is an inference
	IOPriority       Int       `json:"io_priority"`
}

// PlanLimits are the limits of a plan. In requests nil leaves a limit out. The limits of the disk can be set on creation only.
type PlanLimits struct {
	DiskBandwidth            *CountLimit     `json:"disk_bandwidth,omitempty"` // unit "Bps"
	DiskIOPS                 *CountLimit     `json:"disk_iops,omitempty"`      // unit "iops"
	NetworkIncomingBandwidth *BandwidthLimit `json:"network_incoming_bandwidth,omitempty"`
	NetworkOutgoingBandwidth *BandwidthLimit `json:"network_outgoing_bandwidth,omitempty"`
	// NetworkReduceBandwidth is what a server keeps when its traffic is used up.
	NetworkReduceBandwidth *BandwidthLimit `json:"network_reduce_bandwidth,omitempty"`
	NetworkIncomingTraffic *TrafficLimit   `json:"network_incoming_traffic,omitempty"`
	NetworkOutgoingTraffic *TrafficLimit   `json:"network_outgoing_traffic,omitempty"`
	NetworkTotalTraffic    *TrafficLimit   `json:"network_total_traffic,omitempty"`
	BackupsNumber          *CountLimit     `json:"backups_number,omitempty"` // unit "units"
}

// CountLimit is a limit on a number.
type CountLimit struct {
	IsEnabled Bool   `json:"is_enabled"`
	Limit     Int    `json:"limit"`
	Unit      string `json:"unit"`
}

// PlanBackupSettings says how servers of a plan are backed up.
type PlanBackupSettings struct {
	IsIncrementalBackupEnabled Bool `json:"is_incremental_backup_enabled"`
	IncrementalBackupsLimit    Int  `json:"incremental_backups_limit,omitzero"` // 1 or more
}

// Netfilter is which kernel modules of the firewall a container gets.
type Netfilter struct {
	Value      NetfilterMode `json:"value"`
	IsEditable Bool          `json:"is_editable"`
}

// SwitchableBool is a switch, and whether customers may turn it.
type SwitchableBool struct {
	Value      Bool `json:"value"`
	IsEditable Bool `json:"is_editable"`
}

// PlanPrice is what a plan costs. Amounts are text, as the panel writes them: do not count with them in floating point.
type PlanPrice struct {
	AdditionalIPsPerHour     Text `json:"additional_ips_per_hour"`
	AdditionalIPsPerMonth    Text `json:"additional_ips_per_month"`
	PerHour                  Text `json:"per_hour"`
	PerMonth                 Text `json:"per_month"`
	CurrencyCode             Text `json:"currency_code"`
	TotalPriceWithoutBackups Text `json:"total_price_without_backups"`
	TotalPrice               Text `json:"total_price"`
	BackupPrice              Text `json:"backup_price"`
	TaxesInclusive           Bool `json:"taxes_inclusive"`
}

// VirtualizationType is how a server is virtualized. The set is open.
type VirtualizationType string

// The virtualization types.
const (
	VirtualizationKVM VirtualizationType = "kvm"
	VirtualizationVZ  VirtualizationType = "vz" // containers
)

// Known reports whether the type is one of the constants.
func (t VirtualizationType) Known() bool { return t == VirtualizationKVM || t == VirtualizationVZ }

// StorageType is a kind of storage. The set is open.
type StorageType string

// The storage types.
const (
	StorageFile    StorageType = "fb" // files
	StorageLVM     StorageType = "lvm"
	StorageThinLVM StorageType = "thinlvm"
	StorageNFS     StorageType = "nfs"
	StorageVZ      StorageType = "vz"
)

// Known reports whether the type is one of the constants.
func (t StorageType) Known() bool {
	return slices.Contains([]StorageType{StorageFile, StorageLVM, StorageThinLVM, StorageNFS, StorageVZ}, t)
}

// ImageFormat is the format of disk images. The set is open.
type ImageFormat string

// The image formats.
const (
	ImageQCOW2 ImageFormat = "qcow2"
	ImageRaw   ImageFormat = "raw"
	ImagePloop ImageFormat = "ploop"
)

// Known reports whether the format is one of the constants.
func (f ImageFormat) Known() bool {
	return slices.Contains([]ImageFormat{ImageQCOW2, ImageRaw, ImagePloop}, f)
}

// ResetLimitPolicy says when traffic counters start again. The set is open.
type ResetLimitPolicy string

// The reset policies.
const (
	ResetNever           ResetLimitPolicy = "never"
	ResetFirstDayOfMonth ResetLimitPolicy = "first_day_of_month"
	ResetServerCreated   ResetLimitPolicy = "vm_created_day" // on the day of the month on which the server was made
)

// Known reports whether the policy is one of the constants.
func (p ResetLimitPolicy) Known() bool {
	return slices.Contains([]ResetLimitPolicy{ResetNever, ResetFirstDayOfMonth, ResetServerCreated}, p)
}

// TrafficLimitType says whether the directions of traffic are limited together. The set is open.
type TrafficLimitType string

// The traffic limit types.
const (
	TrafficSeparate TrafficLimitType = "separate"
	TrafficTotal    TrafficLimitType = "total"
)

// Known reports whether the type is one of the constants.
func (t TrafficLimitType) Known() bool { return t == TrafficSeparate || t == TrafficTotal }

// NetfilterMode is how much of the firewall a container gets. The set is open.
type NetfilterMode string

// The netfilter modes.
const (
	NetfilterDisabled  NetfilterMode = "disabled"
	NetfilterStateless NetfilterMode = "stateless"
	NetfilterStateful  NetfilterMode = "stateful"
	NetfilterFull      NetfilterMode = "full"
)

// Known reports whether the mode is one of the constants.
func (m NetfilterMode) Known() bool {
	return slices.Contains([]NetfilterMode{NetfilterDisabled, NetfilterStateless, NetfilterStateful, NetfilterFull}, m)
}

// PlanFilter keeps only some plans. Zero fields keep all.
type PlanFilter struct {
	Search      string      `url:"filter[search],omitempty"` // a part of the name
	StorageType StorageType `url:"filter[storage_type],omitempty"`
	ImageFormat ImageFormat `url:"filter[image_format],omitempty"`
	Disk        GiB         `url:"filter[disk],omitempty"`
	ListOptions
}

// PlanParamsRequest are sizes in requests. What is left out stays as the panel has it.
type PlanParamsRequest struct {
	Disk             GiB        `json:"disk,omitzero"`
	RAM              ByteCount  `json:"ram,omitzero"` // a whole number of MiB; the vendor's own tool wants 128 MiB at least
	Swap             *ByteCount `json:"swap,omitempty"`
	VCPU             int        `json:"vcpu,omitzero"`         // 1 to 64
	VCPUUnits        int        `json:"vcpu_units,omitzero"`   // 8 to 500000; importers use 1000
	VCPULimitPercent int        `json:"vcpu_limit,omitzero"`   // 10 to 6400
	IOPriority       *int       `json:"io_priority,omitempty"` // 0 to 7; importers use 4
}

func (p *PlanParamsRequest) check() error {
	if p == nil {
		return nil
	}
	if p.RAM != 0 {
		if err := checkMemory("params.ram", p.RAM); err != nil {
			return err
		}
	}
	if p.Swap != nil && *p.Swap != 0 {
		if err := checkMemory("params.swap", *p.Swap); err != nil {
			return err
		}
	}
	if p.Disk < 0 || p.VCPU < 0 || p.VCPUUnits < 0 || p.VCPULimitPercent < 0 || p.IOPriority != nil && *p.IOPriority < 0 {
		return provisioning.InvalidField("params", "must not hold a size below 0")
	}
	return nil
}

// PlanSettings is what both creating and updating a plan can set. What is left out (nil, or the empty text) keeps the panel's default or present value.
type PlanSettings struct {
	Limits *PlanLimits `json:"limits,omitempty"`

	TokensPerHour          *float64 `json:"tokens_per_hour,omitempty"`  // 0 to 1000
	TokensPerMonth         *float64 `json:"tokens_per_month,omitempty"` // 0 to 1000
	IPTokensPerHour        *float64 `json:"ip_tokens_per_hour,omitempty"`
	IPTokensPerMonth       *float64 `json:"ip_tokens_per_month,omitempty"`
	ISOImageTokensPerHour  *float64 `json:"iso_image_tokens_per_hour,omitempty"`
	ISOImageTokensPerMonth *float64 `json:"iso_image_tokens_per_month,omitempty"`

	IsDefault                *bool `json:"is_default,omitempty"`
	IsVisible                *bool `json:"is_visible,omitempty"`
	IsSnapshotsEnabled       *bool `json:"is_snapshots_enabled,omitempty"`
	IsBackupAvailable        *bool `json:"is_backup_available,omitempty"`
	IsAdditionalIPsAvailable *bool `json:"is_additional_ips_available,omitempty"`

	BackupSettings   *PlanBackupSettings `json:"backup_settings,omitempty"`
	BackupPrice      *float64            `json:"backup_price,omitempty"` // 0 to 100
	ResetLimitPolicy ResetLimitPolicy    `json:"reset_limit_policy,omitzero"`
	TrafficLimitType TrafficLimitType    `json:"network_traffic_limit_type,omitzero"`

	Netfilter *Netfilter      `json:"netfilter,omitempty"`
	PPP       *SwitchableBool `json:"ppp,omitempty"`
	TUNTAP    *SwitchableBool `json:"tun_tap,omitempty"`

	// The lists replace what the plan has. nil leaves them out, an empty list is sent.
	AvailableLocations       []LocationID       `json:"available_locations,omitzero"`
	AvailableOSImageVersions []OSImageVersionID `json:"available_os_image_versions,omitzero"`
	AvailableApplications    []ApplicationID    `json:"available_applications,omitzero"`
}

// CreatePlanRequest makes a plan. Name, VirtualizationType, Params (with Disk, RAM and VCPU), StorageType and ImageFormat are needed.
type CreatePlanRequest struct {
	Name               string             `json:"name"`
	VirtualizationType VirtualizationType `json:"virtualization_type"`
	Params             PlanParamsRequest  `json:"params"`
	StorageType        StorageType        `json:"storage_type"`
	ImageFormat        ImageFormat        `json:"image_format"`
	PlanSettings
}

func (r *CreatePlanRequest) check() error {
	for _, f := range []struct{ name, value string }{
		{"name", r.Name}, {"virtualization_type", string(r.VirtualizationType)}, {"storage_type", string(r.StorageType)}, {"image_format", string(r.ImageFormat)},
	} {
		if strings.TrimSpace(f.value) == "" {
			return provisioning.InvalidField(f.name, "is missing")
		}
	}
	if r.Params.Disk == 0 || r.Params.RAM == 0 || r.Params.VCPU == 0 {
		return provisioning.InvalidField("params", "must hold disk, ram and vcpu")
	}
	return r.Params.check()
}

// UpdatePlanRequest changes a plan. The panel updates with PUT, and whether it takes what is left out as "leave it" or as "default" is not documented: send
// what Get tells. Sizes and the limits of the disk cannot be changed.
type UpdatePlanRequest struct {
	Name string `json:"name,omitzero"`
	PlanSettings
}

// PlansService keeps plans.
type PlansService struct{ rest *conn }

// List yields the plans that the filter keeps, page by page, hidden ones included. Forbidden for customers, who use ListByProject.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /plans
func (s *PlansService) List(ctx context.Context, f PlanFilter, opts ...CallOption) iter.Seq2[Plan, error] {
	return rows[Plan](ctx, s.rest, pageCall{op: "listPlans", path: []any{"plans"}, filter: f, opts: opts})
}

// ListByProject yields the plans that a project may order, page by page. It is what customers have instead of List. It was seen only in a client that was
// generated from the vendor's description.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /projects/{id}/plans
func (s *PlansService) ListByProject(ctx context.Context, id ProjectID, o ListOptions, opts ...CallOption) iter.Seq2[Plan, error] {
	return rowsOf[Plan](ctx, s.rest, id, pageCall{op: "listProjectPlans", path: []any{"projects", id, "plans"}, filter: o, opts: opts})
}

// Get reads one plan. NotFound when there is none.
//
// Class: read.
// API: GET /plans/{id}
func (s *PlansService) Get(ctx context.Context, id PlanID, opts ...CallOption) (*Plan, error) {
	return existing[Plan](ctx, s.rest, id, rest.Call{Op: "getPlan", Class: rest.Read, Method: http.MethodGet, Path: []any{"plans", id}}, opts)
}

// Create makes a plan. It is sent once.
//
// Class: once.
// API: POST /plans
func (s *PlansService) Create(ctx context.Context, r CreatePlanRequest, opts ...CallOption) (*Plan, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return created[Plan](ctx, s.rest, rest.Call{Op: "createPlan", Path: []any{"plans"}, In: r}, opts)
}

// Update changes a plan.
//
// Class: set.
// API: PUT /plans/{id}
func (s *PlansService) Update(ctx context.Context, id PlanID, r UpdatePlanRequest, opts ...CallOption) (*Plan, error) {
	return existing[Plan](ctx, s.rest, id, rest.Call{Op: "updatePlan", Class: rest.Set, Method: http.MethodPut, Path: []any{"plans", id}, In: r}, opts)
}

// Delete removes a plan. What it does about servers of the plan is not documented.
//
// Class: set.
// API: DELETE /plans/{id}
func (s *PlansService) Delete(ctx context.Context, id PlanID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deletePlan", id, "plans", opts)
}
