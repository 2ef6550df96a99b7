package virtfusion

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// CreateServerRequest allocates a server. The first three fields are needed; what is left out of the others comes from the package. Where 0 means something on
// the panel, the field is a pointer.
type CreateServerRequest struct {
	PackageID PackageID `json:"packageId"`
	UserID    UserID    `json:"userId"`
	// HypervisorGroupID is where. The panel calls it hypervisorId and means a group all the same.
	HypervisorGroupID HypervisorGroupID `json:"hypervisorId"`

	IPv4     *int       `json:"ipv4,omitempty"` // how many addresses; 0 is none
	Storage  GB         `json:"storage,omitzero"`
	Traffic  *TrafficGB `json:"traffic,omitempty"` // 0 is unlimited
	Memory   MB         `json:"memory,omitzero"`
	CPUCores int        `json:"cpuCores,omitzero"`

	NetworkSpeedInbound  *KBps        `json:"networkSpeedInbound,omitempty"`
	NetworkSpeedOutbound *KBps        `json:"networkSpeedOutbound,omitempty"`
	StorageProfile       *StorageType `json:"storageProfile,omitempty"`
	NetworkProfile       *int         `json:"networkProfile,omitempty"`

	// FirewallRulesets and HypervisorAssetGroups replace the lists of the package. An empty list is left out: for none, give NoFirewallRulesets or
	// NoHypervisorAssetGroups as the only element.
	FirewallRulesets      []FirewallRulesetID      `json:"firewallRulesets,omitempty"`
	HypervisorAssetGroups []HypervisorAssetGroupID `json:"hypervisorAssetGroups,omitempty"`

	// The second and third disk. They are made at the server's next power action, see ServerTasks.
	AdditionalStorage1Enable   *bool        `json:"additionalStorage1Enable,omitempty"`
	AdditionalStorage1Profile  *StorageType `json:"additionalStorage1Profile,omitempty"`
	AdditionalStorage1Capacity GB           `json:"additionalStorage1Capacity,omitzero"`
	AdditionalStorage2Enable   *bool        `json:"additionalStorage2Enable,omitempty"`
	AdditionalStorage2Profile  *StorageType `json:"additionalStorage2Profile,omitempty"`
	AdditionalStorage2Capacity GB           `json:"additionalStorage2Capacity,omitzero"`
}

func (r *CreateServerRequest) check() error {
	if err := positive("packageId", r.PackageID); err != nil {
		return err
	}
	if err := positive("userId", r.UserID); err != nil {
		return err
	}
	if err := positive("hypervisorGroupId", r.HypervisorGroupID); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"storage", int64(r.Storage)}, {"memory", int64(r.Memory)}, {"cpuCores", int64(r.CPUCores)},
		{"ipv4", int64(value(r.IPv4))}, {"traffic", int64(value(r.Traffic))},
		{"networkSpeedInbound", int64(value(r.NetworkSpeedInbound))}, {"networkSpeedOutbound", int64(value(r.NetworkSpeedOutbound))},
		{"additionalStorage1Capacity", int64(r.AdditionalStorage1Capacity)}, {"additionalStorage2Capacity", int64(r.AdditionalStorage2Capacity)},
	} {
		if f.value < 0 {
			return provisioning.InvalidField(f.name, "must not be below 0")
		}
	}
	return nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// GetServerOptions tunes Get.
type GetServerOptions struct {
	// RemoteState lets the panel ask the hypervisor for the live state of the guest. It costs a round trip to the hypervisor, which may take seconds: give such
	// calls an AttemptTimeout, and do not ask for it in lists and waits.
	RemoteState bool
}

// ListServersOptions tunes List.
type ListServersOptions struct {
	ListOptions
	// HypervisorIDs keeps only the servers on these hypervisors. Empty means all.
	HypervisorIDs []HypervisorID
}

// BuildServerRequest installs an operating system. Only OperatingSystemID is needed.
type BuildServerRequest struct {
	OperatingSystemID OperatingSystemID `json:"operatingSystemId"`
	Name              string            `json:"name,omitzero"` // the display name; left out, the server keeps what it has
	Hostname          string            `json:"hostname,omitzero"`
	SSHKeys           []SSHKeyID        `json:"sshKeys,omitempty"` // of the owner
	Swap              Swap              `json:"swap,omitzero"`
	Timezone          string            `json:"timezone,omitzero"` // of the guest, through cloud-init; panel 7.1

	// The switches are always sent.
	VNC  bool `json:"vnc"`
	IPv6 bool `json:"ipv6"`
	// Email mails the password to the owner.
	Email bool `json:"email"`
}

func (r *BuildServerRequest) check() error {
	if err := positive("operatingSystemId", r.OperatingSystemID); err != nil {
		return err
	}
	for _, id := range r.SSHKeys {
		if err := positive("sshKeys", id); err != nil {
			return err
		}
	}
	if r.Swap != 0 && !r.Swap.Known() {
		return provisioning.InvalidField("swap", "must be one of the sizes that the panel knows")
	}
	return nil
}

// maxDeleteDelay is the limit of panel 7.1; the older documentation says one more.
const maxDeleteDelay = 43_799

// DeleteServerOptions tunes Delete.
type DeleteServerOptions struct {
	// DelayMinutes is the grace period, 0 to 43799 (30 days). 0 deletes at once. It is always sent: left out, the panel would take 5 minutes.
	DelayMinutes int
}

// GuestUser is the account of the guest whose password is reset.
type GuestUser string

// The guest users that the panel knows.
const (
	GuestRoot          GuestUser = "root"
	GuestAdministrator GuestUser = "Administrator" // Windows
)

// ResetServerPasswordRequest resets a guest's password.
type ResetServerPasswordRequest struct {
	User GuestUser `json:"user"`
	// SendMail mails the new password to the owner. It is always sent, because the panel mails when it is left out.
	SendMail bool `json:"sendMail"`
}

// ServerPasswordReset is an accepted reset. The password is valid only after the queue item ended well.
type ServerPasswordReset struct {
	QueueID          QueueID             `json:"queueId"` // 0 when the panel gave none
	ExpectedPassword provisioning.Secret `json:"expectedPassword"`
}

// LogValue logs all of it, with its secrets masked.
func (s ServerPasswordReset) LogValue() slog.Value { return provisioning.Masked(s) }

// PackageParts says which parts of a package are applied. All switches are always sent, because the panel takes one that is left out as true. AllPackageParts
// is all of them.
type PackageParts struct {
	BackupPlan                  bool `json:"backupPlan"`
	CPU                         bool `json:"cpu"`
	Memory                      bool `json:"memory"`
	PrimaryDiskSize             bool `json:"primaryDiskSize"` // disks never shrink
	PrimaryDiskReadIOPS         bool `json:"primaryDiskReadIOPS"`
	PrimaryDiskWriteIOPS        bool `json:"primaryDiskWriteIOPS"`
	PrimaryDiskReadThroughput   bool `json:"primaryDiskReadThroughput"`
	PrimaryDiskWriteThroughput  bool `json:"primaryDiskWriteThroughput"`
	PrimaryNetworkInboundSpeed  bool `json:"primaryNetworkInboundSpeed"`
	PrimaryNetworkOutboundSpeed bool `json:"primaryNetworkOutboundSpeed"`
	PrimaryNetworkTraffic       bool `json:"primaryNetworkTraffic"`
}

// AllPackageParts applies the whole package.
func AllPackageParts() PackageParts {
	return PackageParts{
		BackupPlan: true, CPU: true, Memory: true,
		PrimaryDiskSize: true, PrimaryDiskReadIOPS: true, PrimaryDiskWriteIOPS: true, PrimaryDiskReadThroughput: true, PrimaryDiskWriteThroughput: true,
		PrimaryNetworkInboundSpeed: true, PrimaryNetworkOutboundSpeed: true, PrimaryNetworkTraffic: true,
	}
}

// PackageChange is an accepted change of package.
type PackageChange struct {
	// Info says in the panel's words what was left as it is and why. It is empty on panels that answer nothing.
	Info []string
}

// ServersService makes, reads and changes servers.
type ServersService struct{ rest *rest.Client }

// Create allocates a server: resources, addresses and a place, but no operating system yet, which Build installs. The new server has no name, its State is
// allocated.
//
// It is sent once. The panel has no idempotency key and the request carries no name, so after ErrMaybeApplied nothing tells a server that was made from one
// that was not, except that the owner has one more: see ListByUser, and provisioning.CreateOnce, which does all of that. Kind Capacity for "no room" rests on
// the words of the refusal.
//
// When the answer has members that cannot be read, the server is returned all the same, with ID, UUID, OwnerID, Name, states and passwords only: it exists, and
// its id must not be lost.
//
// Class: once.
// API: POST /servers
func (s *ServersService) Create(ctx context.Context, r CreateServerRequest, opts ...CallOption) (*Server, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	made, err := fetch(ctx, s.rest, rest.Call{Op: "createServer", Class: rest.Once, Method: http.MethodPost, Path: []any{"servers"}, In: r},
		func(v *madeServer) error {
			if v.OwnerID != 0 && v.OwnerID != r.UserID {
				return &provisioning.Error{Kind: provisioning.Mismatch, Message: "the answer is about a server of another user"}
			}
			return hasID("server", v.ID)
		}, opts)
	if err != nil {
		return nil, err
	}
	return &made.Server, nil
}

// DryRunCreate asks whether Create would be accepted, without making a server. nil means yes; the errors are those of Create.
//
// As documented it changes nothing, so it is treated as a read and repeated like one. What it answers was never published. If the answer is a server with an
// id, the panel has not heeded the dry run and has made one: that is an error with ErrMaybeApplied.
func (s *ServersService) DryRunCreate(ctx context.Context, r CreateServerRequest, opts ...CallOption) error {
	if err := r.check(); err != nil {
		return err
	}
	var out json.RawMessage
	err := s.rest.Do(ctx, rest.Call{Op: "createServer", Class: rest.Read, Method: http.MethodPost, Path: []any{"servers"},
		Query: url.Values{"dryRun": {"true"}}, In: r, Out: &out, Optional: true}, opts...)
	if err != nil {
		return err
	}
	var made envelope[struct {
		ID ServerID `json:"id"`
	}]
	if json.Unmarshal(out, &made) == nil && made.Data.ID > 0 {
		return &provisioning.Error{Panel: panelName, Op: "createServer", Method: http.MethodPost, Path: "/servers", Kind: provisioning.Mismatch,
			MaybeApplied: true, Message: "the panel answered a dry run with server " + strconv.FormatInt(int64(made.Data.ID), 10)}
	}
	return nil
}

// Get reads one server. NotFound means that the panel says it does not exist; NoRoute does not mean that.
//
// A server that waits for its deletion is read like any other, and nothing shows that it is to be deleted.
//
// Class: read.
// API: GET /servers/{serverId}
func (s *ServersService) Get(ctx context.Context, id ServerID, o GetServerOptions, opts ...CallOption) (*Server, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	var query url.Values
	if o.RemoteState {
		query = url.Values{"remoteState": {"true"}}
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getServer", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id}, Query: query},
		func(v *Server) error { return sameID("server", v.ID, id) }, opts)
}

// List yields all servers, page by page; the next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again.
// An error is the last pair.
//
// Pages are counted by rows, so rows shift when servers are deleted while ranging: collect first, then delete. A server that is missing from the list is not
// proven to be gone, see ListComplete. The panel's type=full is not offered, because nobody has published what it answers.
//
// Class: read.
// API: GET /servers
func (s *ServersService) List(ctx context.Context, o ListServersOptions, opts ...CallOption) iter.Seq2[ServerRow, error] {
	return rows[ServerRow](ctx, s.rest, o.call(opts))
}

// ListComplete returns all servers from a walk that proves itself complete: each page tells the same total, and there are that many different ids. A walk that
// does not add up, because servers come and go, is repeated; after three the error is of Kind Unavailable. Use it where a server's absence decides something.
func (s *ServersService) ListComplete(ctx context.Context, o ListServersOptions, opts ...CallOption) ([]ServerRow, error) {
	return allRows(ctx, s.rest, o.call(opts), func(r *ServerRow) ServerID { return r.ID })
}

func (o ListServersOptions) call(opts []CallOption) pageCall {
	query := url.Values{}
	for _, id := range o.HypervisorIDs {
		query.Add("hypervisorId[]", strconv.FormatInt(int64(id), 10))
	}
	return pageCall{op: "listServers", path: []any{"servers"}, query: query, results: o.Results, opts: opts}
}

// ListByUser returns the servers of one user (by the panel's own id). The panel does not page this list, so it is complete. Whether it also holds servers that
// others share with the user is not documented: compare OwnerID where it matters.
//
// Class: read.
// API: GET /servers/user/{userId}
func (s *ServersService) ListByUser(ctx context.Context, id UserID, opts ...CallOption) ([]UserServer, error) {
	if err := positive("userId", id); err != nil {
		return nil, err
	}
	return fetchList[UserServer](ctx, s.rest, rest.Call{Op: "listUserServers", Class: rest.Read, Method: http.MethodGet,
		Path: []any{"servers", "user", id}}, opts)
}

// Build installs an operating system, and on a server that has one it destroys all data first. The panel queues the job and tells no queue id: WaitBuilt waits
// for it. The answer's Settings.DecryptedPassword is the root password, told here and nowhere else; State is queued again.
//
// It is sent once; after ErrMaybeApplied look with Get, and if it was built, reset the password. Locked while deferred actions of the server are pending or
// have failed.
//
// Answers that cannot be read in full are treated as those of Create.
//
// Class: once.
// API: POST /servers/{serverId}/build
func (s *ServersService) Build(ctx context.Context, id ServerID, r BuildServerRequest, opts ...CallOption) (*Server, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	made, err := fetch(ctx, s.rest, rest.Call{Op: "buildServer", Class: rest.Once, Method: http.MethodPost, Path: []any{"servers", id, "build"}, In: r},
		func(v *madeServer) error { return sameID("server", v.ID, id) }, opts)
	if err != nil {
		return nil, err
	}
	return &made.Server, nil
}

// WaitBuilt waits until a build has ended. nil means that the server is ready. A failed build is an error that wraps provisioning.ErrTaskFailed; the panel
// gives no reason for it. A wait that ended before the build did wraps provisioning.ErrStillRunning. Calling it right after Build is safe also for a rebuild,
// because the panel takes the server back to queued in the answer of Build itself.
func (s *ServersService) WaitBuilt(ctx context.Context, id ServerID, o provisioning.WaitOptions) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	return provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
		server, err := s.Get(ctx, id, GetServerOptions{})
		if err != nil {
			return provisioning.Look{}, err
		}
		return server.BuildLook()
	}, o)
}

// Rename changes the display name. One integration allows 63 characters; the panel documents no limit. Older panels had this operation elsewhere and answer
// NoRoute.
//
// Class: set.
// API: PUT /servers/{serverId}/modify/name
func (s *ServersService) Rename(ctx context.Context, id ServerID, name string, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if strings.TrimSpace(name) == "" {
		return provisioning.InvalidField("name", "must not be empty")
	}
	in := struct {
		Name string `json:"name"`
	}{name}
	return s.rest.Do(ctx, rest.Call{Op: "modifyServerName", Class: rest.Set, Method: http.MethodPut, Path: []any{"servers", id, "modify", "name"}, In: in},
		opts...)
}

// Delete asks for the deletion of a server after a grace period. nil means that the panel has accepted it; the server is gone when Get says NotFound. Until
// then it can be read as before. A deletion cannot be seen or called off through the API. Locked while the server is set to Do Not Disturb.
//
// A server that the panel does not know is NotFound, unless an earlier attempt of this call may have deleted it.
//
// Class: set.
// API: DELETE /servers/{serverId}
func (s *ServersService) Delete(ctx context.Context, id ServerID, o DeleteServerOptions, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if o.DelayMinutes < 0 || o.DelayMinutes > maxDeleteDelay {
		return provisioning.InvalidField("delayMinutes", "must be between 0 and %d, not %d", maxDeleteDelay, o.DelayMinutes)
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteServer", Class: rest.Set, Method: http.MethodDelete, Path: []any{"servers", id},
		Query: url.Values{"delay": {strconv.Itoa(o.DelayMinutes)}}}, opts...)
}

// Suspend suspends a server. nil means that the panel has accepted it; Server.Suspended shows when it is done, which may take until the panel's next cron run.
// Whether the guest is switched off is not documented. Locked while tasks of the server are pending.
//
// Class: set.
// API: POST /servers/{serverId}/suspend
func (s *ServersService) Suspend(ctx context.Context, id ServerID, opts ...CallOption) error {
	return s.suspension(ctx, "suspendServer", id, "suspend", opts)
}

// Unsuspend lifts a suspension, as Suspend places it.
//
// Class: set.
// API: POST /servers/{serverId}/unsuspend
func (s *ServersService) Unsuspend(ctx context.Context, id ServerID, opts ...CallOption) error {
	return s.suspension(ctx, "unsuspendServer", id, "unsuspend", opts)
}

func (s *ServersService) suspension(ctx context.Context, op string, id ServerID, verb string, opts []CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: op, Class: rest.Set, Method: http.MethodPost, Path: []any{"servers", id, verb}}, opts...)
}

// ResetPassword lets the panel set a new password in the guest. The answer tells it before it is set: it is valid only when the queue item has ended well. It
// is sent once: each repetition makes another password.
//
// Class: once.
// API: POST /servers/{serverId}/resetPassword
func (s *ServersService) ResetPassword(ctx context.Context, id ServerID, r ResetServerPasswordRequest, opts ...CallOption) (*ServerPasswordReset, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if r.User != GuestRoot && r.User != GuestAdministrator {
		return nil, provisioning.InvalidField("user", "must be %q or %q", GuestRoot, GuestAdministrator)
	}
	return fetch(ctx, s.rest, rest.Call{Op: "resetServerPassword", Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "resetPassword"}, In: r},
		func(v *ServerPasswordReset) error { return hasSecret("password", v.ExpectedPassword) }, opts)
}

// ChangePackage applies parts of a package to a server. The panel applies what it can at once and the rest at the server's next power action; its answer tells
// what was left as it is. Locked while tasks of the server are pending.
//
// Class: set.
// API: PUT /servers/{serverId}/package/{packageId}
func (s *ServersService) ChangePackage(ctx context.Context, id ServerID, to PackageID, parts PackageParts, opts ...CallOption) (*PackageChange, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	if err := positive("packageId", to); err != nil {
		return nil, err
	}
	if parts == (PackageParts{}) {
		return nil, provisioning.InvalidField("parts", "must not all be off: nothing would change")
	}
	var out struct {
		Info rest.List[string] `json:"info"`
	}
	err := s.rest.Do(ctx, rest.Call{Op: "changeServerPackage", Class: rest.Set, Method: http.MethodPut, Path: []any{"servers", id, "package", to},
		In: parts, Out: &out, Optional: true}, opts...)
	if err != nil {
		return nil, err
	}
	return &PackageChange{Info: out.Info}, nil
}

// madeServer is the server in the answers of creating and building. A member that cannot be read must not cost the id of a server that exists, nor a password
// that is told only once.
type madeServer struct{ Server }

func (m *madeServer) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &m.Server) == nil {
		return nil
	}
	var core struct {
		ID               ServerID         `json:"id"`
		UUID             string           `json:"uuid"`
		OwnerID          UserID           `json:"ownerId"`
		Name             string           `json:"name"`
		State            ServerState      `json:"state"`
		CommissionStatus CommissionStatus `json:"commissionStatus"`
		BuildFailed      Bool             `json:"buildFailed"`
		Settings         struct {
			DecryptedPassword provisioning.Secret `json:"decryptedPassword"`
		} `json:"settings"`
	}
	if err := json.Unmarshal(b, &core); err != nil {
		return err
	}
	m.Server = Server{ID: core.ID, UUID: core.UUID, OwnerID: core.OwnerID, Name: core.Name,
		State: core.State, CommissionStatus: core.CommissionStatus, BuildFailed: core.BuildFailed}
	m.Settings.DecryptedPassword = core.Settings.DecryptedPassword
	return nil
}
