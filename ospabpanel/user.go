package ospabpanel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// UserClient acts as one panel user, and sees and switches that user's VPS only. It is safe for concurrent use. Printing it shows no token.
type UserClient struct {
	rest *rest.Client
	user PanelUserID
}

// NewUserClient makes a client for the panel at baseURL with the tokens of one panel user. It does no network I/O; its errors are of Kind Invalid.
//
// user is the panel user whose tokens these are. A token that names another user is not sent, and a record of another user is refused, both as Mismatch. 0
// switches these checks off.
//
// A token that the panel refuses is replaced once a call with the help of the source; a second refusal is Unauthorized.
func NewUserClient(baseURL string, user PanelUserID, source TokenSource, opts ...Option) (*UserClient, error) {
	if source == nil {
		return nil, provisioning.InvalidField("source", "must not be nil")
	}
	if user < 0 {
		return nil, provisioning.InvalidField("user", "must not be negative")
	}
	t := newTokens(source, user)
	c, err := rest.New(rest.Panel{Name: panelName, Prefix: apiPrefix, Authorize: t.authorize, Login: t.renew, Refusal: refusal}, baseURL, withDefaults(opts)...)
	if err != nil {
		return nil, err
	}
	return &UserClient{rest: c, user: user}, nil
}

// BaseURL is the panel's address in one fixed spelling, without "/api" and without a slash at the end.
func (c *UserClient) BaseURL() string { return c.rest.BaseURL() }

// User is the panel user of this client, 0 when it was not told.
func (c *UserClient) User() PanelUserID { return c.user }

// List returns all VPS of the user, in no order that the panel promises. It is the whole list or an error, never a part. A record that is missing from it is
// not proven to be gone: a record stored with a wrong user id is in nobody's list.
//
// API: GET /api/vps
func (c *UserClient) List(ctx context.Context, opts ...CallOption) ([]VPS, error) {
	var answer json.RawMessage
	var list []VPS
	err := c.do(ctx, rest.Call{
		Op: "listVPS", Method: http.MethodGet, Path: []any{"vps"}, Out: &answer,
		Check: func() (err error) {
			if list, err = decodeList(answer); err != nil {
				return err
			}
			for _, v := range list {
				if err := c.checkOwner(v); err != nil {
					return err
				}
			}
			return nil
		},
	}, opts)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Get returns one VPS. An id that does not exist, or belongs to another user, is NotFound.
//
// API: GET /api/vps/{id}
func (c *UserClient) Get(ctx context.Context, id VPSID, opts ...CallOption) (VPS, error) {
	if err := checkNumber("id", id); err != nil {
		return VPS{}, err
	}
	var got oneVPS
	err := c.do(ctx, rest.Call{
		Op: "getVPS", Method: http.MethodGet, Path: []any{"vps", id}, Out: &got,
		Check: func() error {
			if v := got.vps(); v.ID != id {
				return mismatch("the answer is about record %d, not %d", v.ID, id)
			}
			return c.checkOwner(got.vps())
		},
	}, opts)
	if err != nil {
		return VPS{}, err
	}
	return got.vps(), nil
}

func (c *UserClient) checkOwner(v VPS) error {
	if c.user != 0 && v.UserID != 0 && v.UserID != c.user {
		return mismatch("record %d belongs to panel user %d, not to %d", v.ID, v.UserID, c.user)
	}
	return nil
}

// Start switches a VPS on. Success means that the panel accepted it; WaitStatus waits for the effect. It is sent once: the panel may carry an action out and
// lose its answer, which is ErrMaybeApplied. EnsureRunning repeats it where that is needed.
//
// API: POST /api/vps/{id}/start
func (c *UserClient) Start(ctx context.Context, id VPSID, opts ...CallOption) error {
	return c.act(ctx, "start", id, opts)
}

// Stop switches a VPS off. Whether the guest is asked or the power is cut is not documented. Otherwise it is like Start, and EnsureStopped repeats it where
// that is needed.
//
// API: POST /api/vps/{id}/stop
func (c *UserClient) Stop(ctx context.Context, id VPSID, opts ...CallOption) error {
	return c.act(ctx, "stop", id, opts)
}

// Restart restarts a VPS. It is sent once and never repeated: an unclear answer is ErrMaybeApplied. How it differs from Reboot is not documented further than
// that Reboot is the soft one.
//
// API: POST /api/vps/{id}/restart
func (c *UserClient) Restart(ctx context.Context, id VPSID, opts ...CallOption) error {
	return c.act(ctx, "restart", id, opts)
}

// Reboot asks the operating system of a VPS to reboot. It is sent once and never repeated: an unclear answer is ErrMaybeApplied.
//
// API: POST /api/vps/{id}/reboot
func (c *UserClient) Reboot(ctx context.Context, id VPSID, opts ...CallOption) error {
	return c.act(ctx, "reboot", id, opts)
}

func (c *UserClient) act(ctx context.Context, verb string, id VPSID, opts []CallOption) error {
	if err := checkNumber("id", id); err != nil {
		return err
	}
	var answer json.RawMessage // its shape is not documented; it only has to be JSON
	return c.do(ctx, rest.Call{Op: verb + "VPS", Class: rest.Once, Method: http.MethodPost, Path: []any{"vps", id, verb}, Out: &answer, Optional: true}, opts)
}

// Stats is the answer of UserClient.Stats as the panel gave it.
type Stats struct{ Raw json.RawMessage }

// Fields decodes an answer that is an object, with every number as a json.Number.
func (s Stats) Fields() (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(s.Raw))
	d.UseNumber()
	var fields map[string]any
	err := d.Decode(&fields)
	return fields, err
}

// Stats returns the usage statistics of a VPS.
//
// Experimental: no field of the answer is documented anywhere, so it is handed over unchanged.
//
// API: GET /api/vps/{id}/stats
func (c *UserClient) Stats(ctx context.Context, id VPSID, opts ...CallOption) (Stats, error) {
	if err := checkNumber("id", id); err != nil {
		return Stats{}, err
	}
	var s Stats
	err := c.do(ctx, rest.Call{Op: "getVPSStats", Method: http.MethodGet, Path: []any{"vps", id, "stats"}, Out: &s.Raw}, opts)
	return s, err
}

// WaitStatus waits until the panel shows the status, looking as provisioning.Wait does. It returns the record as last seen. A wait that ended before is
// ErrStillRunning, together with the reason, and never success; a record that does not exist any more ends it at once.
func (c *UserClient) WaitStatus(ctx context.Context, id VPSID, want Status, o provisioning.WaitOptions) (VPS, error) {
	var last VPS
	err := provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
		v, err := c.Get(ctx, id)
		if err != nil {
			return provisioning.Look{}, err
		}
		last = v
		return provisioning.Look{Done: v.Status == want, Percent: -1, State: string(v.Status)}, nil
	}, o)
	return last, err
}

// EnsureRunning starts a VPS that does not run. Unlike Start it gets along with lost answers: it reads the status first, and after an unclear answer watches it
// for ten seconds and starts again if it still is another one, three times in all. Success means that the VPS runs or that the panel accepted the start.
func (c *UserClient) EnsureRunning(ctx context.Context, id VPSID) error {
	return c.ensure(ctx, id, StatusRunning, c.Start)
}

// EnsureStopped stops a VPS that is not stopped, as EnsureRunning starts one.
func (c *UserClient) EnsureStopped(ctx context.Context, id VPSID) error {
	return c.ensure(ctx, id, StatusStopped, c.Stop)
}

const (
	ensureTries = 3
	ensureWatch = 10 * time.Second
)

func (c *UserClient) ensure(ctx context.Context, id VPSID, want Status, act func(context.Context, VPSID, ...CallOption) error) error {
	v, err := c.Get(ctx, id)
	if err != nil || v.Status == want {
		return err
	}
	var doubt error // of an earlier try; only success clears it
	for range ensureTries {
		switch err := act(ctx, id); {
		case err == nil:
			return nil
		case !errors.Is(err, provisioning.ErrMaybeApplied):
			return errors.Join(err, doubt)
		default:
			doubt = err
		}
		watch, cancel := context.WithTimeout(ctx, ensureWatch)
		_, seen := c.WaitStatus(watch, id, want, provisioning.WaitOptions{})
		cancel()
		if seen == nil {
			return nil
		}
		if !errors.Is(seen, context.DeadlineExceeded) || ctx.Err() != nil {
			break // the status cannot be read: do not act on a guess
		}
	}
	return doubt
}

// PanelStatus is the panel's word about itself.
type PanelStatus struct {
	Status  string `json:"status"` // "ok"
	Message string `json:"message"`
	Version string `json:"version"`
}

// Status asks whether the panel lives and takes the token. There is no such call for the sync key.
//
// API: GET /api/status
func (c *UserClient) Status(ctx context.Context, opts ...CallOption) (PanelStatus, error) {
	var s PanelStatus
	err := c.do(ctx, rest.Call{Op: "getStatus", Method: http.MethodGet, Path: []any{"status"}, Out: &s}, opts)
	return s, err
}

// PanelVersion tells the build of the panel.
type PanelVersion struct {
	Version     string `json:"version"`
	BuildDate   string `json:"build_date"`
	Environment string `json:"environment"`
}

// Version returns the build of the panel.
//
// API: GET /api/version
func (c *UserClient) Version(ctx context.Context, opts ...CallOption) (PanelVersion, error) {
	var v PanelVersion
	err := c.do(ctx, rest.Call{Op: "getVersion", Method: http.MethodGet, Path: []any{"version"}, Out: &v}, opts)
	return v, err
}

func (c *UserClient) do(ctx context.Context, call rest.Call, opts []CallOption) error {
	if ctx != nil {
		ctx = withUsedToken(ctx)
	}
	return c.rest.Do(ctx, call, opts...)
}
