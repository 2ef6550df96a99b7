package provisioning

import (
	"context"
	"iter"
	"log/slog"
	"net/netip"
	"time"
)

// Provider is the frozen core that every panel with servers has. All methods of this interface and of the capabilities below are safe for concurrent use, end
// promptly when ctx does, and return errors that can be asked with errors.Is for a Kind, and for ErrMaybeApplied after a write.
type Provider interface {
	// Instances lists every server the credentials may see, lazily, page by page. Ranging again starts again. It yields an error at most once, as its last pair.
	// Offset pages shift when servers are deleted while ranging: collect first, then delete. A server that is missing from a list is not proven to be gone.
	Instances(ctx context.Context) iter.Seq2[Summary, error]
	// Instance reads one server, and asks the hypervisor for its power state within a limit of its own: a hypervisor that does not answer gives PowerUnknown, not an
	// error. A server that the panel says does not exist is NotFound; a wrong address or an older panel is NoRoute.
	Instance(ctx context.Context, id ID) (Instance, error)
}

// Peeker is implemented by providers whose Instance asks the hypervisor, which is slow.
type Peeker interface {
	// Peek reads one server as Instance does, from the panel's own records only: Power is PowerUnknown where only the hypervisor knows it.
	Peek(ctx context.Context, id ID) (Instance, error)
}

// Pinger tests address and credentials.
type Pinger interface {
	// Ping makes the cheapest call that needs valid credentials.
	Ping(ctx context.Context) error
}

// Power switches servers on and off. The operations end when the panel says that they ended, which is not the same as the guest's being up.
type Power interface {
	Start(ctx context.Context, id ID) (*Operation, error)
	Restart(ctx context.Context, id ID) (*Operation, error)
	// Shutdown asks the guest to shut down; a guest that does not listen stays on.
	Shutdown(ctx context.Context, id ID) (*Operation, error)
	// PowerOff cuts the power.
	PowerOff(ctx context.Context, id ID) (*Operation, error)
}

// Suspender suspends servers, usually for non-payment. Both verbs give the same end state when repeated.
type Suspender interface {
	// Suspend suspends. reason is for panels that store one; others drop it.
	Suspend(ctx context.Context, id ID, reason string) (*Operation, error)
	Unsuspend(ctx context.Context, id ID) (*Operation, error)
}

// DeleteOptions tunes a deletion.
type DeleteOptions struct {
	// In is the grace period, in whole minutes. VirtFusion takes 0 to 43,799 minutes; panels without a grace period refuse anything above 0.
	In time.Duration
}

// Deleter destroys servers.
type Deleter interface {
	// Delete asks for the deletion. The operation is done when the panel has accepted it, and carries Effective; WaitGone waits for the end. A deletion that was scheduled
	// cannot be seen on VirtFusion, nor undone: whoever asked for it must remember it, and should Retire the Key.
	Delete(ctx context.Context, id ID, o DeleteOptions) (*Operation, error)
}

// RebuildRequest reinstalls a server. All data on its disks is lost.
type RebuildRequest struct {
	Image    string // catalog id
	Hostname string
	SSHKeys  []string // public keys as text
}

// Rebuilt is an accepted reinstallation.
type Rebuilt struct {
	Password Secret // the new root password, when the panel tells it
	*Operation
}

// LogValue logs that there is a password.
func (r Rebuilt) LogValue() slog.Value { return slog.GroupValue(slog.Any("password", r.Password)) }

// Rebuilder reinstalls servers.
type Rebuilder interface {
	Rebuild(ctx context.Context, id ID, r RebuildRequest) (Rebuilt, error)
}

// ResizeRequest changes what a server has. Give a Plan, or single resources; absent ones stay as they are.
type ResizeRequest struct {
	Plan   string // catalog id
	Memory Opt[Bytes]
	Disk   Opt[Bytes] // disks never shrink
	VCPUs  Opt[int]
}

// Resizer changes plan or resources.
type Resizer interface {
	// Resize returns an operation that ends when the panel has accepted the change; Deferred lists what it does later, such as at the next restart.
	Resize(ctx context.Context, id ID, r ResizeRequest) (*Operation, error)
}

// Renamer changes the display name.
type Renamer interface {
	Rename(ctx context.Context, id ID, name string) error
}

// PasswordOptions tunes a reset of the root password.
type PasswordOptions struct {
	User string // "root" when empty; "Administrator" on Windows
	// SendMail lets the panel mail the new password to the owner. Nothing is mailed unless it is set.
	SendMail bool
}

// PasswordReset is an accepted reset. The password is valid only after Wait succeeded.
type PasswordReset struct {
	Password Secret
	*Operation
}

// LogValue logs that there is a password.
func (r PasswordReset) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("password", r.Password))
}

// RootPasswordResetter resets the guest's root password.
type RootPasswordResetter interface {
	ResetRootPassword(ctx context.Context, id ID, o PasswordOptions) (PasswordReset, error)
}

// Console is a way to a server's screen. It is a secret as a whole: do not store or log it.
type Console struct {
	// WebSocket is the address for a browser viewer such as noVNC. It carries a token.
	WebSocket Secret
	// Page is the panel's own viewer page, which needs a session of the panel, "" when there is none.
	Page string
	// Host and Port are the raw VNC endpoint, "" and 0 when the panel gives none.
	Host     string
	Port     int
	Password Secret
	// ReadyAt is when a viewer may connect; panels need a moment before the socket listens.
	ReadyAt time.Time
}

// LogValue logs where the console is, without its secrets.
func (c Console) LogValue() slog.Value {
	return slog.GroupValue(slog.String("page", c.Page), slog.String("host", c.Host), slog.Int("port", c.Port),
		slog.Any("websocket", c.WebSocket), slog.Any("password", c.Password))
}

// ConsoleOpener opens consoles. Opening one may end another viewer's session.
type ConsoleOpener interface {
	OpenConsole(ctx context.Context, id ID) (Console, error)
}

// Usage is what a server used.
type Usage struct {
	Traffic Traffic
	Native  any
}

// LogValue logs all of it, with its secrets masked.
func (u Usage) LogValue() slog.Value { return Masked(u) }

// UsageReader reads counters without asking the hypervisor, so that a fleet can be read every hour.
type UsageReader interface {
	Usage(ctx context.Context, id ID) (Usage, error)
}

// AddressManager hands out and takes back extra addresses.
type AddressManager interface {
	Addresses(ctx context.Context, id ID) ([]Address, error)
	// AddIPv4 adds count addresses chosen by the panel. Where the panel does not say which ones, the result is empty and Addresses tells later.
	AddIPv4(ctx context.Context, id ID, count int) ([]Address, error)
	RemoveAddresses(ctx context.Context, id ID, addresses []netip.Addr) error
}

// Owner is the customer a server belongs to, as the billing system knows it.
type Owner struct {
	Ref   string `json:"ref"` // the billing system's own id; VirtFusion wants a number
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// OwnerAccount is the panel's account of an Owner.
type OwnerAccount struct {
	ID       string // the panel's own id
	Ref      string
	Name     string
	Email    string
	Password Secret // of the panel account, only when this call created it
	Created  bool   // this call created it
}

// LogValue logs the ids and that there is a password; name and e-mail address are left out.
func (o OwnerAccount) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", o.ID), slog.String("ref", o.Ref), slog.Bool("created", o.Created), slog.Any("password", o.Password))
}

// OwnerManager keeps panel accounts of customers.
type OwnerManager interface {
	// FindOwner finds the account by the billing system's id; NotFound when there is none.
	FindOwner(ctx context.Context, ref string) (OwnerAccount, error)
	// EnsureOwner finds the account or creates it. No mail is sent.
	EnsureOwner(ctx context.Context, o Owner) (OwnerAccount, error)
	// OwnerInstances lists the servers of one account.
	OwnerInstances(ctx context.Context, ref string) iter.Seq2[Summary, error]
}

// Link is an address that logs a customer in. Hand it to the browser at once and store it nowhere.
type Link struct {
	URL     Secret
	Expires time.Time
}

// LogValue logs when the link expires.
func (l Link) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("url", l.URL), slog.Time("expires", l.Expires))
}

// PanelAccess lets a customer into the panel.
type PanelAccess interface {
	// LoginLink makes a link that logs the owner in, on the page of server id when it is not empty. The link's host is the panel's own.
	LoginLink(ctx context.Context, ownerRef string, id ID) (Link, error)
	// ResetPanelPassword gives the owner's panel account a new password and returns it. No mail is sent.
	ResetPanelPassword(ctx context.Context, ownerRef string) (Secret, error)
}

// PlanInfo is a plan as the catalog lists it.
type PlanInfo struct {
	ID, Name     string
	Memory, Disk Opt[Bytes]
	VCPUs        Opt[int]
	Traffic      Opt[Bytes] // Null means unlimited
	Enabled      bool
}

// ImageInfo is an operating system that can be installed.
type ImageInfo struct {
	ID, Name string
	Enabled  bool
}

// LocationInfo is a place where servers can be made.
type LocationInfo struct {
	ID, Name string
	Enabled  bool
}

// Catalog lists what can be ordered. Ids are what CreateRequest takes.
type Catalog interface {
	Plans(ctx context.Context) ([]PlanInfo, error)
	// Images lists what can be installed with the plan; panels whose images do not depend on it ignore plan.
	Images(ctx context.Context, plan string) ([]ImageInfo, error)
	Locations(ctx context.Context) ([]LocationInfo, error)
}

// Snapshot is a saved state of a server's disk.
type Snapshot struct {
	ID, Name string
	State    string // the panel's own word
	Size     Opt[Bytes]
	Created  time.Time
}

// Snapshotter keeps snapshots.
type Snapshotter interface {
	Snapshots(ctx context.Context, id ID) ([]Snapshot, error)
	CreateSnapshot(ctx context.Context, id ID, name string) (*Operation, error)
	RevertSnapshot(ctx context.Context, id ID, snapshot string) (*Operation, error)
	DeleteSnapshot(ctx context.Context, id ID, snapshot string) (*Operation, error)
}

// Backup is a stored copy of a server.
type Backup struct {
	ID      string
	State   string // the panel's own word
	Size    Opt[Bytes]
	Created time.Time
}

// BackupLister lists backups.
type BackupLister interface {
	Backups(ctx context.Context, id ID) ([]Backup, error)
}

// Rescue is an accepted start of the rescue system.
type Rescue struct {
	Password Secret // of the rescue system, when the panel tells it
	*Operation
}

// LogValue logs that there is a password.
func (r Rescue) LogValue() slog.Value { return slog.GroupValue(slog.Any("password", r.Password)) }

// Rescuer starts a server's rescue system.
type Rescuer interface {
	EnterRescue(ctx context.Context, id ID) (Rescue, error)
}

// RescueLeaver ends the rescue system. It is a capability of its own because VirtFusion has no known way to do it.
type RescueLeaver interface {
	LeaveRescue(ctx context.Context, id ID) (*Operation, error)
}
