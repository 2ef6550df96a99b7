package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// The settings of a VirtFusion panel; those of an OSPAB panel are named by its package.
const (
	envVirtFusionURL   = "VIRTFUSION_URL"
	envVirtFusionToken = "VIRTFUSION_TOKEN" // #nosec G101 -- a name
)

// panels are what the engine drives: a panel with servers, and one that shows them to customers.
type panels struct {
	provider    provisioning.Provider
	registrar   provisioning.Registrar
	description string
	warning     string // the OSPAB panel cannot be reached with these settings
	simulated   bool

	virtFusion *virtfusiontest.Panel // nil unless simulated, and so below
	ospab      *ospabpaneltest.Panel
	ospabLine  *line
	closers    []func()
}

// What a simulated panel has when it is new.
const simulatedSpeed = 10 // a build takes 2.3 s instead of 23

// simulatedUsers are the panel users 1 to 5 of a new simulated OSPAB panel.
var simulatedUsers = []string{"alice", "bob", "carol", "dave", "erin"}

// set reports whether the panel called name is set.
func (c config) set(name, urlVar, keyVar string) (bool, error) {
	url, key := c.getenv(urlVar) != "", c.getenv(keyVar) != ""
	switch {
	case url && !key:
		return false, usageError{fmt.Errorf("%s is not set, but %s is: set both to drive your %s", keyVar, urlVar, name)}
	case key && !url:
		return false, usageError{fmt.Errorf("%s is not set, but %s is: set both to drive your %s", urlVar, keyVar, name)}
	}
	return url, nil
}

// simulated reports whether no panel with servers is set. A real OSPAB panel is not told about servers that do not exist.
func (c config) simulated() (bool, error) {
	isSet, err := c.set("VirtFusion panel", envVirtFusionURL, envVirtFusionToken)
	if err == nil && !isSet && (c.getenv(ospabpanel.EnvPanelURL) != "" || c.getenv(ospabpanel.EnvSyncKey) != "") {
		err = usageError{fmt.Errorf("%s or %s is set, but the panel with the servers would be simulated: set %s and %s as well",
			ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey, envVirtFusionURL, envVirtFusionToken)}
	}
	return !isSet, err
}

// openPanels opens the panels that the environment names, or simulated ones. It makes no request.
func openPanels(ctx context.Context, c config, simulated bool, db *database) (*panels, error) {
	p := &panels{simulated: simulated}
	open := p.openReal
	if simulated {
		open = p.simulate
	}
	if err := open(ctx, c, db); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// openReal opens real panels. Without a VirtFusion panel there is nothing to sell; without an OSPAB panel there is.
func (p *panels) openReal(_ context.Context, c config, users *database) error {
	client, err := virtfusion.New(c.getenv(envVirtFusionURL), provisioning.Secret(c.getenv(envVirtFusionToken)))
	if err != nil {
		return settingError(err, map[string]string{"baseURL": envVirtFusionURL, "token": envVirtFusionToken})
	}
	p.provider = virtfusion.NewProvider(client, virtfusion.ProviderOptions{FallbackLocation: virtfusion.HypervisorGroupID(c.fallbackLocation)})
	p.description = "Servers are made on the VirtFusion panel at " + client.BaseURL()
	sync, problem := c.ospabSync()
	if problem != nil {
		p.warning, p.registrar = problem.Error(), notSet{problem.Error()}
		p.description += "."
		return nil //nolint:nilerr // servers are sold all the same
	}
	p.description += ", and shown on the OSPAB panel at " + sync.BaseURL() + "."
	p.registrar, err = ospabpanel.NewRegistrar(sync, users)
	return err
}

func (c config) ospabSync() (*ospabpanel.Sync, error) {
	isSet, err := c.set("OSPAB panel", ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey)
	if err == nil && !isSet {
		err = fmt.Errorf("%s and %s are not set", ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey)
	}
	if err != nil {
		return nil, err
	}
	sync, err := ospabpanel.NewFromEnv(c.getenv)
	return sync, settingError(err, nil)
}

// notSet stands in for an OSPAB panel whose settings are missing or wrong, which is no reason not to sell servers. The engine pauses it, as it does when a panel refuses the key, and the records wait
// until the program is started with good settings.
type notSet struct{ why string }

func (n notSet) refuse(op string) error {
	return &provisioning.Error{Panel: "ospab", Op: op, Kind: provisioning.Unauthorized, Message: n.why}
}

// Register implements provisioning.Registrar.
func (n notSet) Register(context.Context, provisioning.Record) (provisioning.RecordID, error) {
	return "", n.refuse("register")
}

// SetRecordStatus implements provisioning.Registrar.
func (n notSet) SetRecordStatus(context.Context, provisioning.RecordID, provisioning.RecordStatus) error {
	return n.refuse("setRecordStatus")
}

// Unregister implements provisioning.Registrar.
func (n notSet) Unregister(context.Context, provisioning.RecordID) error {
	return n.refuse("unregister")
}

// simulate opens simulated panels. With a database that is kept, they are kept in it.
func (p *panels) simulate(ctx context.Context, c config, db *database) error {
	p.description = "No panel is set, so it uses simulated ones."
	p.virtFusion = virtfusiontest.NewPanel(virtfusiontest.Options{Speed: simulatedSpeed})
	p.ospab = ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	p.closers = append(p.closers, p.virtFusion.Close, p.ospab.Close)
	for _, name := range simulatedUsers {
		p.ospab.AddUser(name)
	}
	servers, err := keep(ctx, db, "virtfusion", p.virtFusion)
	if err != nil {
		return err
	}
	records, err := keep(ctx, db, "ospab", p.ospab)
	if err != nil {
		return err
	}
	client, err := virtfusion.New(p.virtFusion.URL(), p.virtFusion.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: servers}))
	if err != nil {
		return err
	}
	p.provider = virtfusion.NewProvider(client, virtfusion.ProviderOptions{FallbackLocation: virtfusion.HypervisorGroupID(c.fallbackLocation)})
	p.ospabLine = &line{next: records}
	return p.simulateRecords(db)
}

// simulateRecords makes a registrar that can also search, because a simulated panel hands out its users' tokens.
func (p *panels) simulateRecords(users ospabpanel.UserResolver) error {
	through := ospabpanel.WithHTTPClient(&http.Client{Transport: p.ospabLine})
	sync, err := ospabpanel.New(p.ospab.URL(), p.ospab.Key(), through)
	if err != nil {
		return err
	}
	registrar, err := ospabpanel.NewRegistrar(sync, users)
	if err != nil {
		return err
	}
	p.registrar, err = ospabpanel.NewFindingRegistrar(registrar, func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return ospabpanel.NewUserClient(p.ospab.URL(), user, ospabpanel.StaticToken(p.ospab.Token(int64(user))), through)
	})
	return err
}

func (p *panels) close() {
	for _, f := range p.closers {
		f()
	}
}

// line is the way to a simulated panel. While it is cut, the panel is down: nobody listens at its address.
type line struct {
	next http.RoundTripper
	down atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if !l.down.Load() {
		return l.next.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// simulation is a simulated panel that can be kept.
type simulation interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
	Transport() http.RoundTripper
}

// keep restores a simulated panel from the database, and returns a transport that stores it there after everything that may have changed it.
func keep(ctx context.Context, db *database, name string, panel simulation) (http.RoundTripper, error) {
	b, err := db.loadSnapshot(ctx, name)
	if err == nil && b != nil {
		err = panel.Restore(b)
	}
	return &keeping{panel: panel, db: db, name: name}, err
}

// keeping stores the panel behind it before an answer is handed on, as a panel's database does: what the engine has been told survives a crash.
type keeping struct {
	panel simulation
	db    *database
	name  string
	mu    sync.Mutex
}

// RoundTrip implements http.RoundTripper.
func (k *keeping) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.panel.Transport().RoundTrip(r)
	if r.Method == http.MethodGet {
		return resp, err
	}
	if storeErr := k.store(context.WithoutCancel(r.Context())); storeErr != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, errors.Join(storeErr, err)
	}
	return resp, err
}

func (k *keeping) store(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, err := k.panel.Snapshot()
	if err != nil {
		return err
	}
	return k.db.saveSnapshot(ctx, k.name, b)
}

// settingError words an error of a constructor as what it is about here: a setting.
func settingError(err error, variables map[string]string) error {
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for field, messages := range e.Fields {
			return usageError{fmt.Errorf("%s %s", cmp.Or(variables[field], field), messages[0])}
		}
	}
	return err
}
