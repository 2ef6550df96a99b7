package ospabpanel

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Names of the settings that NewFromEnv reads, as the panel's manual has them.
const (
	EnvPanelURL = "OSPAB_PANEL_URL"
	EnvSyncKey  = "VPS_SYNC_API_KEY"
)

// DefaultMinMemory and DefaultMaxMemory are the memory sizes that Create believes, both included: 128 MB to 4,194,304 MB. They are this package's choice, not a
// rule of the panel; see WithMemoryWindow.
const (
	DefaultMinMemory = 128 * provisioning.MiB
	DefaultMaxMemory = 4 * provisioning.TiB
)

// Sync keeps the panel's records of VPS: it pushes, the panel stores. It is safe for concurrent use, but calls for one VPS must not overlap: the panel has no
// versions, so whichever answer comes last wins. Printing it shows no key.
type Sync struct {
	rest                 *rest.Client
	minMemory, maxMemory provisioning.Bytes
}

// New makes a Sync for the panel at baseURL ("https://panel.ospab.host", or "http://localhost:5050" for a local API server; port 3000 is its web server) with
// its sync key, the VPS_SYNC_API_KEY of the panel's configuration: at least 32 printable ASCII characters. Published sample keys are refused. New does no
// network I/O; its errors are of Kind Invalid.
//
// There is no call to test the key with: the sync API can only write.
func New(baseURL string, key provisioning.Secret, opts ...Option) (*Sync, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return NewWithKeySource(baseURL, func(context.Context) (provisioning.Secret, error) { return key, nil }, opts...)
}

// NewWithKeySource is New with a key that may change while the program runs. The panel knows one key at a time, so between the change on one side and on the
// other every call is refused as Unauthorized and nothing is applied.
func NewWithKeySource(baseURL string, key KeySource, opts ...Option) (*Sync, error) {
	if key == nil {
		return nil, provisioning.InvalidField("key", "must not be nil")
	}
	authorize := func(ctx context.Context, h http.Header) error {
		k, err := key(ctx)
		if err == nil {
			err = checkKey(k)
		}
		if err == nil {
			h.Set("X-API-Key", k.Reveal())
		}
		return err
	}
	c, err := rest.New(rest.Panel{Name: panelName, Prefix: apiPrefix, Authorize: authorize, Refusal: refusal}, baseURL, withDefaults(opts)...)
	if err != nil {
		return nil, err
	}
	return &Sync{rest: c, minMemory: DefaultMinMemory, maxMemory: DefaultMaxMemory}, nil
}

// NewFromEnv is New with the settings OSPAB_PANEL_URL and VPS_SYNC_API_KEY, read with getenv, usually os.Getenv. An error names the setting that is missing or
// wrong, never its value.
func NewFromEnv(getenv func(string) string, opts ...Option) (*Sync, error) {
	s, err := New(getenv(EnvPanelURL), provisioning.Secret(getenv(EnvSyncKey)), opts...)
	var e *provisioning.Error
	if errors.As(err, &e) {
		for field, setting := range map[string]string{"key": EnvSyncKey, "baseURL": EnvPanelURL} {
			if messages, ok := e.Fields[field]; ok {
				return nil, &provisioning.Error{Panel: panelName, Kind: provisioning.Invalid, Fields: map[string][]string{setting: messages}}
			}
		}
	}
	return s, err
}

// WithMemoryWindow returns a copy of s that believes other memory sizes, both ends included. A size outside of the window is most likely a wrong unit, and
// Create refuses it before anything is sent.
func (s *Sync) WithMemoryWindow(smallest, largest provisioning.Bytes) (*Sync, error) {
	if smallest < 1 || largest < smallest {
		return nil, provisioning.InvalidField("memoryWindow", "must be two sizes above zero, the smaller one first")
	}
	return &Sync{rest: s.rest, minMemory: smallest, maxMemory: largest}, nil
}

// BaseURL is the panel's address in one fixed spelling, without "/api" and without a slash at the end. Records belong to one panel: store it next to their ids.
func (s *Sync) BaseURL() string { return s.rest.BaseURL() }

// CreateRequest describes a VPS that exists on a hypervisor already. Every field goes to the panel as it is or not at all: nothing is rounded or cut.
type CreateRequest struct {
	UserID PanelUserID
	// Name is what the customer sees, 1 to 255 characters. The panel lets two records have the same name, and the name is all that a lost create can be found
	// by: make it unique for the user, for instance the key of the order.
	Name     string
	CPUCores int
	// Memory is sent in MB of 2^20 bytes and must be a whole number of them, within the window of WithMemoryWindow: 8*provisioning.GiB is sent as 8192, a bare
	// 8 is refused.
	Memory provisioning.Bytes
	// Disk is sent in GB of 2^30 bytes and must be a whole number of them: provisioning.TiB is sent as 1024.
	Disk provisioning.Bytes
	// OS is free text, 1 to 100 characters: "Ubuntu 22.04 LTS".
	OS string
	// Hypervisor is HypervisorProxmox when empty.
	Hypervisor Hypervisor
}

// wireVPS is the "vps" object of a request. An update sends id and status only: the panel might write whatever else it finds. There is no field for the IP
// address, which the API cannot set yet.
type wireVPS struct {
	ID         VPSID       `json:"id,omitzero"`
	UserID     PanelUserID `json:"user_id,omitzero"`
	Name       string      `json:"name,omitzero"`
	Status     Status      `json:"status,omitzero"`
	CPU        int         `json:"cpu,omitzero"`
	RAM        int64       `json:"ram,omitzero"`  // MB
	Disk       int64       `json:"disk,omitzero"` // GB
	OS         string      `json:"os,omitzero"`
	Hypervisor Hypervisor  `json:"hypervisor,omitzero"`
}

// Create makes the panel's record of a VPS. The record begins as "creating", whatever the VPS does; UpdateStatus says what was observed later.
//
// It is sent at most once, unless it provably was not sent or the panel answered 429, because the panel would make a second record of the same VPS. When the
// answer is lost or unclear, the error is ErrMaybeApplied, and only a look at the user's list (UserClient.List) tells. That includes every 5xx, because an
// older panel stores the record and then fails, and a success that names no record. A success that names another user or another name than asked for is a
// Mismatch, with ErrMaybeApplied. The VPS holds what the answer told, also next to such an error; usually that is id, name, status and time of creation only.
//
// The panel answers 200 or 201, the manuals disagree. What it says about a user that it does not know is not documented: a 5xx, or success for a record that
// nobody sees.
func (s *Sync) Create(ctx context.Context, r CreateRequest, opts ...CallOption) (VPS, error) {
	w, err := s.wire(r)
	if err != nil {
		return VPS{}, err
	}
	var got syncAnswer
	err = s.send(ctx, "create", rest.Once, w, &got, func() error {
		switch v := got.VPS.vps(); {
		case got.Status != "success" || v.ID < 1:
			return unexpected("the answer is a success without the new record")
		case v.UserID != 0 && v.UserID != w.UserID:
			return mismatch("the new record belongs to panel user %d, not to %d", v.UserID, w.UserID)
		case v.Name != "" && v.Name != w.Name:
			return mismatch("the new record has another name than the one asked for")
		}
		return nil
	}, opts)
	return got.VPS.vps(), err
}

// UpdateStatus sets the status of a record, and nothing else. It gives the same end state when repeated, and is repeated where that may help.
//
// Success is not proof that the record exists: the older panel reports success for an id that it does not have. Where the answer tells id or status, another
// one than asked for is a Mismatch. NotFound is the panel's own word that there is no such record; NoRoute means that this panel has no sync API, which is a
// real state (see the package comment) and says nothing about the record.
//
// A status is to be reported when it was observed, not after a timer, and only by one caller at a time: a late repetition of an old status would win over a
// newer one.
func (s *Sync) UpdateStatus(ctx context.Context, id VPSID, status Status, opts ...CallOption) (VPS, error) {
	if err := checkNumber("id", id); err != nil {
		return VPS{}, err
	}
	if err := status.check(); err != nil {
		return VPS{}, err
	}
	var got syncAnswer
	err := s.send(ctx, "update", rest.Set, wireVPS{ID: id, Status: status}, &got, func() error {
		switch v := got.VPS.vps(); {
		case !got.fine():
			return unexpected("the answer is a success that says %q", got.Status)
		case v.ID != 0 && v.ID != id:
			return mismatch("the answer is about record %d, not %d", v.ID, id)
		case v.Status != "" && v.Status != status:
			return mismatch("the record says %q, not %q", v.Status, status)
		}
		return nil
	}, opts)
	return got.VPS.vps(), err
}

// Delete removes a record. The VPS itself is not touched. It gives the same end state when repeated, and is repeated where that may help. A record that the
// panel says does not exist is removed; a panel without the route (NoRoute) is an error. The panel deletes any customer's record, so the id must be one that
// was stored.
func (s *Sync) Delete(ctx context.Context, id VPSID, opts ...CallOption) error {
	if err := checkNumber("id", id); err != nil {
		return err
	}
	var got syncAnswer
	err := s.send(ctx, "delete", rest.Set, wireVPS{ID: id}, &got, func() error {
		if !got.fine() {
			return unexpected("the answer is a success that says %q", got.Status)
		}
		return nil
	}, opts)
	if errors.Is(err, provisioning.NotFound) {
		return nil
	}
	return err
}

// send makes one of the three calls. All have the same address; the action in the body decides.
//
// API: POST /api/vps/sync
func (s *Sync) send(ctx context.Context, action string, class rest.Class, vps wireVPS, got *syncAnswer, check func() error, opts []CallOption) error {
	in := struct {
		Action string  `json:"action"`
		VPS    wireVPS `json:"vps"`
	}{action, vps}
	return s.rest.Do(ctx, rest.Call{
		Op: "syncVPS." + action, Class: class, Method: http.MethodPost, Path: []any{"vps", "sync"},
		In: in, Out: got, Optional: class == rest.Set, Check: check,
	}, opts...)
}

// syncAnswer is the answer to a sync. Only that of a create is documented in full; update and delete may answer less, or nothing.
type syncAnswer struct {
	Status string  `json:"status"`
	VPS    columns `json:"vps"`
}

func (a syncAnswer) fine() bool { return a.Status == "" || a.Status == "success" }

// wire checks the request and translates it into the panel's units.
func (s *Sync) wire(r CreateRequest) (wireVPS, error) {
	if r.Hypervisor == "" {
		r.Hypervisor = HypervisorProxmox
	}
	ram, err := units("memory", r.Memory, provisioning.MiB, "MB of 2^20")
	if err == nil && (r.Memory < s.minMemory || r.Memory > s.maxMemory) {
		err = provisioning.InvalidField("memory", "%v is not between %v and %v: is the unit right? See WithMemoryWindow", r.Memory, s.minMemory, s.maxMemory)
	}
	disk, diskErr := units("disk", r.Disk, provisioning.GiB, "GB of 2^30")
	for _, err := range []error{
		checkNumber("userID", r.UserID), checkText("name", r.Name, 255), checkNumber("cpuCores", r.CPUCores), err, diskErr,
		checkText("os", r.OS, 100), r.Hypervisor.check(),
	} {
		if err != nil {
			return wireVPS{}, err
		}
	}
	return wireVPS{
		UserID: r.UserID, Name: r.Name, Status: StatusCreating, CPU: r.CPUCores, RAM: ram, Disk: disk, OS: r.OS, Hypervisor: r.Hypervisor,
	}, nil
}

// units is the one place where sizes become the panel's numbers.
func units(field string, b, unit provisioning.Bytes, name string) (int64, error) {
	n, whole := b.Whole(unit)
	if !whole || n < 1 || n > maxInt {
		return 0, provisioning.InvalidField(field, "%v is not a whole number of %s bytes between 1 and %d: write 8*provisioning.GiB, not 8", b, name, maxInt)
	}
	return n, nil
}

func checkText(field, s string, limit int) error {
	switch {
	case strings.TrimSpace(s) == "":
		return provisioning.InvalidField(field, "is missing")
	case !utf8.ValidString(s):
		return provisioning.InvalidField(field, "is not valid UTF-8")
	case utf8.RuneCountInString(s) > limit:
		return provisioning.InvalidField(field, "has %d characters, at most %d are possible", utf8.RuneCountInString(s), limit)
	case strings.ContainsFunc(s, unicode.IsControl):
		return provisioning.InvalidField(field, "holds control characters")
	}
	return nil
}
