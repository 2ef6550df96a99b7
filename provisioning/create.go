package provisioning

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// CreateRequest is one order. Plan, Image and Location are ids of the Catalog; FindPlan, FindImage and FindLocation find them by name.
type CreateRequest struct {
	// Key identifies the order for ever, and is written onto the server: 1 to 40 characters of a-z, 0-9 and "-". The same Key never makes a second server.
	Key      string `json:"key"`
	Hostname string `json:"hostname"` // RFC 1123, at most 253 characters
	Plan     string `json:"plan"`
	Image    string `json:"image"`
	Location string `json:"location,omitempty"` // "" lets the provider choose
	Owner    Owner  `json:"owner"`
	// SSHKeys are public keys as text, one line each. Each is registered once for the owner.
	SSHKeys []string `json:"sshKeys,omitempty"`
	IPv4    int      `json:"ipv4"` // how many IPv4 addresses, 0 to 4
	IPv6    bool     `json:"ipv6"`
	// Memory, Disk and VCPUs replace what the plan says. They must be whole numbers of the panel's units.
	Memory Opt[Bytes] `json:"memory,omitzero"`
	Disk   Opt[Bytes] `json:"disk,omitzero"`
	VCPUs  Opt[int]   `json:"vcpus,omitzero"`
	// Native is the provider's own type for what only its panel knows. It is not stored.
	Native any `json:"-"`
}

var (
	keyPattern   = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	labelPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func checkKey(key string) error {
	if !keyPattern.MatchString(key) {
		return InvalidField("key", "must be 1 to 40 characters of a-z, 0-9 and -")
	}
	return nil
}

// Validate checks what every panel asks for. The error is of Kind Invalid and names the field.
func (r CreateRequest) Validate() error {
	if err := checkKey(r.Key); err != nil {
		return err
	}
	if err := checkHostname(r.Hostname); err != nil {
		return err
	}
	for _, f := range []struct{ name, value string }{{"plan", r.Plan}, {"image", r.Image}, {"owner.ref", r.Owner.Ref}} {
		if strings.TrimSpace(f.value) == "" {
			return InvalidField(f.name, "is missing")
		}
	}
	if r.IPv4 < 0 || r.IPv4 > 4 {
		return InvalidField("ipv4", "must be 0 to 4")
	}
	if m, ok := r.Memory.Get(); ok && m <= 0 {
		return InvalidField("memory", "must be above zero")
	}
	if d, ok := r.Disk.Get(); ok && d <= 0 {
		return InvalidField("disk", "must be above zero")
	}
	if n, ok := r.VCPUs.Get(); ok && n <= 0 {
		return InvalidField("vcpus", "must be above zero")
	}
	for _, k := range r.SSHKeys {
		if len(strings.Fields(k)) < 2 || strings.ContainsAny(k, "\r\n") {
			return InvalidField("sshKeys", "each must be one line: type, key and an optional comment")
		}
	}
	return nil
}

func checkHostname(h string) error {
	if h == "" {
		return InvalidField("hostname", "is missing")
	}
	if len(h) > 253 {
		return InvalidField("hostname", "must be at most 253 characters")
	}
	for _, label := range strings.Split(h, ".") {
		if !labelPattern.MatchString(label) {
			return InvalidField("hostname", "must be labels of 1 to 63 letters, digits and inner hyphens, joined by dots")
		}
	}
	return nil
}

// Created is a server that was ordered. ID is set whenever a server is known, also when an error came with it.
type Created struct {
	ID   ID
	UUID string
	// Password is the root password, where the panel told it to this very call. It is empty after a crash or a lost answer: reset it.
	Password Secret
	// Operation ends when the server is installed and usable. It is nil when there is an error.
	*Operation
}

// LogValue logs the id and that there is a password.
func (c Created) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", string(c.ID)), slog.String("uuid", c.UUID), slog.Any("password", c.Password))
}

// Creator makes servers. Its methods are the steps of CreateOnce and of the engine, which add the order of steps, the stored record and the waiting; do not
// call them for yourself.
type Creator interface {
	// CreateScope checks the request without asking the panel, and names the scope: panel and owner.
	CreateScope(r CreateRequest) (string, error)
	// PlanCreate makes sure that the owner exists and reads the owner's servers. It sets Scope, Owner and Before, and ID and UUID when a server already
	// carries the Key. Several such servers are a ConflictError.
	PlanCreate(ctx context.Context, r CreateRequest) (Intent, error)
	// Create sends at most one create, and none after SendBefore. Where create stores a mark, it writes the Key with it.
	Create(ctx context.Context, r CreateRequest, i Intent) (Created, error)
	// MarkCreated writes the Key onto the server i.ID. Repeating it gives the same end state.
	MarkCreated(ctx context.Context, i Intent) error
	// FindCreated returns the servers that could be the one of i: those that carry the Key; if none does and create stores no mark, those of the owner that
	// are not in Before, have no name and were never built. It proves absence: an incomplete walk is an error.
	FindCreated(ctx context.Context, i Intent) ([]Instance, error)
	// OpenCreated reads the server and returns the operation that ends when it is usable. build is true when nothing was ever installed and Builder must do it.
	OpenCreated(ctx context.Context, id ID) (c Created, build bool, err error)
}

// Builder is implemented by providers whose create only allocates a server, so that its first installation is a call of its own.
type Builder interface {
	// BuildCreated starts the first installation of i.ID, and does not send it after i.BuildBefore.
	BuildCreated(ctx context.Context, r CreateRequest, i Intent) (Created, error)
}

// Validator is implemented by panels that can check an order without creating anything.
type Validator interface {
	// ValidateCreate reports what the panel would refuse. Success is no reservation.
	ValidateCreate(ctx context.Context, r CreateRequest) error
}

// CreateStage is a point that an order has passed.
type CreateStage string

// The stages, in the order in which they are passed. What one means is durable when it is reported.
const (
	StagePlanned      CreateStage = "planned"       // the intent is stored, nothing was sent
	StageCreated      CreateStage = "created"       // the server is known and stored
	StageMarked       CreateStage = "marked"        // the server carries the Key
	StageBuildPlanned CreateStage = "build planned" // stored, nothing was sent
	StageBuilding     CreateStage = "building"      // the panel has accepted the installation
)

// CreateOptions tunes CreateOnce. The zero value is right.
type CreateOptions struct {
	// SendWindow is how long after the plan the create may be sent, attempts and pauses included; 30 s when zero.
	SendWindow time.Duration
	// Settle is how long after the window a panel may still carry out a request that it was sent; 2 minutes when zero. Only after that is a missing server
	// taken as proof that none was made. Shorten it only for simulated panels.
	Settle time.Duration
	// OnStage is called when an order passes a stage; up to StageBuildPlanned its scope is locked meanwhile. A stage can be reported again when an order is
	// continued.
	OnStage func(CreateStage, ID)
}

func (o CreateOptions) withDefaults() CreateOptions {
	if o.SendWindow <= 0 {
		o.SendWindow = 30 * time.Second
	}
	if o.Settle <= 0 {
		o.Settle = 2 * time.Minute
	}
	if o.OnStage == nil {
		o.OnStage = func(CreateStage, ID) {}
	}
	return o
}
