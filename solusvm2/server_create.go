package solusvm2

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// CreateServerRequest orders a server. The panel has three calls for it, each with names and fields of its own; this is the one request for all three. What a
// call does not have is refused before anything is sent:
//
//	Create                   all fields; needs Name, Location, Plan or CustomPlan
//	CreateInProject          needs Name, Plan, Location; no Project and User, which the project decides, and no Description, CustomPlan, ComputeResource,
//	                         BootMode, PrimaryIP, AdditionalIPCount, AdditionalIPv6Count, MACAddress, Firmware
//	CreateOnComputeResource  needs Name, Plan, User, Project; no Location, CustomPlan, ComputeResource, BootMode, and nothing about addresses, disks,
//	                         private networks, MACAddress and Firmware
//
// One of OS and Application is needed.
type CreateServerRequest struct {
	Name        string // a host name
	Description string
	Plan        PlanID
	CustomPlan  *CustomPlan
	Location    LocationID
	// ComputeResource chooses the node. The panel chooses one of the location when it is left out.
	ComputeResource ComputeResourceID

	// OS is a version of an operating system, not the operating system.
	OS          OSImageVersionID
	Application ApplicationID
	// ApplicationData is the input for Application.JSONSchema. Applications with required inputs fail without it.
	ApplicationData map[string]any

	Project ProjectID
	User    UserID // the owner

	// Password is the guest's. The panel's own rule is not documented; 15 letters and digits always worked. Left out, the panel makes one and does not tell it:
	// see ServersService.ResetPassword.
	Password provisioning.Secret
	SSHKeys  []SSHKeyID
	UserData string // cloud-init, with LF line ends
	FQDNs    []string
	BootMode BootMode

	BackupSettings *BackupSettings

	PrimaryIP           netip.Addr // one particular IPv4 address
	IPTypes             []IPVersion
	AdditionalIPCount   int
	AdditionalIPv6Count int
	AdditionalDisks     []AdditionalDisk
	MACAddress          string
	Firmware            Firmware

	// The fields below are of newer panels and were seen in third-party clients only.
	PrimaryDiskOffer          OfferID
	VPCNetworks               []VPCNetworkID
	IsDisasterRecoveryEnabled *bool
}

// LogValue logs all of it, with its secrets masked.
func (r CreateServerRequest) LogValue() slog.Value { return provisioning.Masked(r) }

// AdditionalDisk is one more disk of a new server.
type AdditionalDisk struct {
	Name  string  `json:"name"`
	Size  GiB     `json:"size"` // that it is GiB is inferred
	Offer OfferID `json:"offer_id"`
}

// IPVersion is 4 or 6. The set is open.
type IPVersion string

// The IP versions.
const (
	IPv4 IPVersion = "IPv4"
	IPv6 IPVersion = "IPv6"
)

// Known reports whether the version is one of the constants.
func (v IPVersion) Known() bool { return v == IPv4 || v == IPv6 }

// CustomPlan replaces parts of a plan for one server. Give only what differs.
type CustomPlan struct {
	Params *PlanParamsRequest `json:"params,omitempty"`
	Limits *CustomPlanLimits  `json:"limits,omitempty"`

	StorageType        StorageType        `json:"storage_type,omitzero"`
	ImageFormat        ImageFormat        `json:"image_format,omitzero"`
	VirtualizationType VirtualizationType `json:"virtualization_type,omitzero"`

	IsSnapshotsEnabled       *bool               `json:"is_snapshots_enabled,omitempty"`
	IsBackupAvailable        *bool               `json:"is_backup_available,omitempty"`
	IsAdditionalIPsAvailable *bool               `json:"is_additional_ips_available,omitempty"`
	BackupSettings           *PlanBackupSettings `json:"backup_settings,omitempty"`
	ResetLimitPolicy         ResetLimitPolicy    `json:"reset_limit_policy,omitzero"`
	TrafficLimitType         TrafficLimitType    `json:"network_traffic_limit_type,omitzero"`
	Netfilter                *Netfilter          `json:"netfilter,omitempty"`
}

// CustomPlanLimits are the limits that can be replaced.
type CustomPlanLimits struct {
	NetworkTotalTraffic *CustomTrafficLimit `json:"network_total_traffic,omitempty"`
}

// CustomTrafficLimit is a number in the unit of the plan that it replaces a part of; read the plan to know it. It has an effect only where the plan has the
// limit enabled.
type CustomTrafficLimit struct {
	Limit int64 `json:"limit"`
}

func (p *CustomPlan) check() error {
	if p == nil {
		return nil
	}
	if p.Limits != nil && p.Limits.NetworkTotalTraffic != nil && p.Limits.NetworkTotalTraffic.Limit < 0 {
		return provisioning.InvalidField("custom_plan.limits", "must not be below 0")
	}
	return p.Params.check()
}

// vocabulary is one of the panel's three calls that create servers.
type vocabulary int

const (
	onNode vocabulary = iota
	inProject
	onComputeResource
)

func (v vocabulary) String() string {
	return [...]string{"on the node", "in a project", "on a compute resource"}[v]
}

// createField is one field of a create with its names in the three vocabularies; "" means that the call has no such field. needed lists the calls that cannot
// do without it.
type createField struct {
	name   string
	value  any
	given  bool
	wire   [3]string
	needed []vocabulary
}

func same(name string) [3]string { return [3]string{name, name, name} }

// fields is the table of the three vocabularies.
func (r *CreateServerRequest) fields() []createField {
	return []createField{
		{"name", r.Name, r.Name != "", same("name"), []vocabulary{onNode, inProject, onComputeResource}},
		{"description", r.Description, r.Description != "", [3]string{"description", "", "description"}, nil},
		{"plan", r.Plan, r.Plan != 0, [3]string{"plan", "plan_id", "plan_id"}, []vocabulary{inProject, onComputeResource}},
		{"customPlan", r.CustomPlan, r.CustomPlan != nil, [3]string{"custom_plan"}, nil},
		{"location", r.Location, r.Location != 0, [3]string{"location", "location_id", ""}, []vocabulary{onNode, inProject}},
		{"computeResource", r.ComputeResource, r.ComputeResource != 0, [3]string{"compute_resource"}, nil},
		{"os", r.OS, r.OS != 0, [3]string{"os", "os_image_version_id", "os_image_version_id"}, nil},
		{"application", r.Application, r.Application != 0, [3]string{"application", "application_id", "application_id"}, nil},
		{"applicationData", r.ApplicationData, r.ApplicationData != nil, same("application_data"), nil},
		{"project", r.Project, r.Project != 0, [3]string{"project", "", "project_id"}, []vocabulary{onComputeResource}},
		{"user", r.User, r.User != 0, [3]string{"user", "", "user_id"}, []vocabulary{onComputeResource}},
		{"password", r.Password, r.Password != "", same("password"), nil},
		{"sshKeys", r.SSHKeys, len(r.SSHKeys) > 0, same("ssh_keys"), nil},
		{"userData", r.UserData, r.UserData != "", same("user_data"), nil},
		{"fqdns", r.FQDNs, len(r.FQDNs) > 0, same("fqdns"), nil},
		{"bootMode", r.BootMode, r.BootMode != "", [3]string{"boot_mode"}, nil},
		{"backupSettings", r.BackupSettings, r.BackupSettings != nil, same("backup_settings"), nil},
		{"primaryIP", r.PrimaryIP, r.PrimaryIP.IsValid(), [3]string{"primary_ip"}, nil},
		{"ipTypes", r.IPTypes, len(r.IPTypes) > 0, [3]string{"ip_types", "ip_types", ""}, nil},
		{"additionalIPCount", r.AdditionalIPCount, r.AdditionalIPCount != 0, [3]string{"additional_ip_count"}, nil},
		{"additionalIPv6Count", r.AdditionalIPv6Count, r.AdditionalIPv6Count != 0, [3]string{"additional_ipv6_count"}, nil},
		{"additionalDisks", r.AdditionalDisks, len(r.AdditionalDisks) > 0, [3]string{"additional_disks", "additional_disks", ""}, nil},
		{"macAddress", r.MACAddress, r.MACAddress != "", [3]string{"mac_address"}, nil},
		{"firmware", r.Firmware, r.Firmware != "", [3]string{"firmware"}, nil},
		{"primaryDiskOffer", r.PrimaryDiskOffer, r.PrimaryDiskOffer != 0, [3]string{"primary_disk_offer", "primary_disk_offer", ""}, nil},
		{"vpcNetworks", r.VPCNetworks, len(r.VPCNetworks) > 0, [3]string{"vpc_network_ids", "vpc_network_ids", ""}, nil},
		{"isDisasterRecoveryEnabled", r.IsDisasterRecoveryEnabled, r.IsDisasterRecoveryEnabled != nil,
			[3]string{"is_disaster_recovery_enabled", "is_disaster_recovery_enabled", ""}, nil},
	}
}

// body checks the request and writes it in one of the vocabularies.
func (r *CreateServerRequest) body(v vocabulary) (map[string]any, error) {
	if err := r.check(v); err != nil {
		return nil, err
	}
	body := map[string]any{}
	for _, f := range r.fields() {
		switch {
		case !f.given && slices.Contains(f.needed, v):
			return nil, provisioning.InvalidField(f.name, "is missing")
		case !f.given:
		case f.wire[v] == "":
			return nil, provisioning.InvalidField(f.name, "the panel does not take it when creating %s", v)
		default:
			body[f.wire[v]] = f.value
		}
	}
	return body, nil
}

func (r *CreateServerRequest) check(v vocabulary) error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"plan", int64(r.Plan)}, {"location", int64(r.Location)}, {"computeResource", int64(r.ComputeResource)}, {"os", int64(r.OS)},
		{"application", int64(r.Application)}, {"project", int64(r.Project)}, {"user", int64(r.User)}, {"primaryDiskOffer", int64(r.PrimaryDiskOffer)},
		{"additionalIPCount", int64(r.AdditionalIPCount)}, {"additionalIPv6Count", int64(r.AdditionalIPv6Count)},
	} {
		if f.value < 0 {
			return provisioning.InvalidField(f.name, "must not be below 0")
		}
	}
	if v == onNode && r.Plan == 0 && r.CustomPlan == nil {
		return provisioning.InvalidField("plan", "is missing, and so is customPlan")
	}
	if err := checkInstallation(r.OS, r.Application, r.ApplicationData); err != nil {
		return err
	}
	if err := allPositive("sshKeys", r.SSHKeys); err != nil {
		return err
	}
	if err := allPositive("vpcNetworks", r.VPCNetworks); err != nil {
		return err
	}
	for _, d := range r.AdditionalDisks {
		if d.Size <= 0 || d.Name == "" || d.Offer <= 0 {
			return provisioning.InvalidField("additionalDisks", "must have a name, a size above 0 and an offer each")
		}
	}
	if err := checkUserData(r.UserData); err != nil {
		return err
	}
	return r.CustomPlan.check()
}

// checkInstallation wants exactly one of operating system and application.
func checkInstallation(os OSImageVersionID, app ApplicationID, data map[string]any) error {
	switch {
	case os < 0:
		return positive("os", os)
	case app < 0:
		return positive("application", app)
	case os != 0 && app != 0:
		return provisioning.InvalidField("os", "excludes application")
	case os == 0 && app == 0:
		return provisioning.InvalidField("os", "is missing, and so is application")
	case app == 0 && data != nil:
		return provisioning.InvalidField("applicationData", "is for applications only")
	}
	return nil
}

func checkUserData(text string) error {
	if strings.Contains(text, "\r") {
		return provisioning.InvalidField("userData", "must have lines that end with LF alone")
	}
	return nil
}

// Create orders a server anywhere on the node. The answer is the server, which is then made by a task whose number is not told: look for it with
// TasksService.List by server and action TaskServerCreate, or use WaitIdle. Its addresses may be missing at first. Forbidden for customers, who use
// CreateInProject.
//
// It is sent once: the panel has no idempotency key. After ErrMaybeApplied look for the server by what was written into Description or Name;
// provisioning.CreateOnce does all of that. When the answer has members that cannot be read, the server is returned all the same, with ID, UUID and Name only:
// it exists, and its id must not be lost. Kind Capacity for "no room" rests on the words of the refusal.
//
// Class: once.
// API: POST /servers
func (s *ServersService) Create(ctx context.Context, r CreateServerRequest, opts ...CallOption) (*Server, error) {
	return s.create(ctx, "createServer", &r, onNode, []any{"servers"}, opts)
}

// CreateInProject orders a server in a project, for its owner, as Create does. It is what customers have instead of Create. Password and what follows
// BackupSettings in the request are missing in the vendor's own client.
//
// Class: once.
// API: POST /projects/{id}/servers
func (s *ServersService) CreateInProject(ctx context.Context, id ProjectID, r CreateServerRequest, opts ...CallOption) (*Server, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return s.create(ctx, "createProjectServer", &r, inProject, []any{"projects", id, "servers"}, opts)
}

// CreateOnComputeResource orders a server on one node, as Create does.
//
// Class: once.
// API: POST /compute_resources/{id}/servers
func (s *ServersService) CreateOnComputeResource(ctx context.Context, id ComputeResourceID, r CreateServerRequest, opts ...CallOption) (*Server, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return s.create(ctx, "createComputeResourceServer", &r, onComputeResource, []any{"compute_resources", id, "servers"}, opts)
}

func (s *ServersService) create(ctx context.Context, op string, r *CreateServerRequest, v vocabulary, path []any, opts []CallOption) (*Server, error) {
	body, err := r.body(v)
	if err != nil {
		return nil, err
	}
	var out envelope[madeServer]
	err = s.rest.Do(ctx, rest.Call{Op: op, Class: rest.Once, Method: http.MethodPost, Path: path, In: body, Out: &out,
		Check: func() error { return hasID("server", out.Data.ID) }}, opts...)
	if err != nil {
		return nil, err
	}
	return &out.Data.Server, nil
}
