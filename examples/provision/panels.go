package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// panels are what one run drives: a panel with servers, and perhaps an OSPAB panel that shows them to customers.
type panels struct {
	name      string // of the panel with the servers
	url       string
	provider  provisioning.Provider
	simulated bool

	registrar provisioning.Registrar // nil: no OSPAB panel is driven
	ospabURL  string
	// row is what a simulated OSPAB panel has stored; it is nil for a real one, whose rows the sync key cannot read.
	row func(provisioning.RecordID) (ospabpaneltest.Record, bool)

	closers []func()
}

// simulation is one simulated panel as this program keeps it in its state folder.
type simulation struct {
	file  string
	panel interface {
		Snapshot() ([]byte, error)
		Restore([]byte) error
		Transport() http.RoundTripper
		Close()
	}
}

// What a new simulated panel sells; see the catalogue of virtfusiontest.
const (
	simulatedPlan     = "VPS M"
	simulatedImage    = "Debian 12 (Bookworm) Minimal"
	simulatedLocation = "Amsterdam"
	simulatedSpeed    = 8 // a build takes 3 s instead of 23
)

// simulatedUsers are the panel users 1 to 5 of a new simulated OSPAB panel.
var simulatedUsers = []string{"alice", "bob", "carol", "dave", "erin"}

// The settings of a VirtFusion panel; those of an OSPAB panel are named by its package.
const (
	envVirtFusionURL   = "VIRTFUSION_URL"
	envVirtFusionToken = "VIRTFUSION_TOKEN" // #nosec G101 -- a name
)

// openPanels opens the panels that the environment names, or simulated ones. It makes no request. A further kind of panel is one more case.
func openPanels(ctx context.Context, c config, users ospabpanel.UserTable) (*panels, error) {
	p := &panels{}
	var err error
	switch c.panel {
	case "virtfusion":
		err = p.openVirtFusion(ctx, c)
	default:
		err = usageError{fmt.Errorf("-panel %q is not known: virtfusion", c.panel)}
	}
	if err == nil {
		err = p.openOSPAB(ctx, c, users)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// real reports whether the panel called name is set to be a real one.
func (c config) real(name, urlVar, keyVar string) (bool, error) {
	url, key := c.getenv(urlVar) != "", c.getenv(keyVar) != ""
	switch {
	case url && !key:
		return false, usageError{fmt.Errorf("%s is not set, but %s is: set both to drive your %s, or none to drive a simulated one", keyVar, urlVar, name)}
	case key && !url:
		return false, usageError{fmt.Errorf("%s is not set, but %s is: set both to drive your %s, or none to drive a simulated one", urlVar, keyVar, name)}
	}
	return url, nil
}

func (p *panels) openVirtFusion(ctx context.Context, c config) error {
	p.name = "VirtFusion"
	isReal, err := c.real("VirtFusion panel", envVirtFusionURL, envVirtFusionToken)
	if err != nil {
		return err
	}
	url, token := c.getenv(envVirtFusionURL), provisioning.Secret(c.getenv(envVirtFusionToken))
	var opts []virtfusion.Option
	if !isReal {
		p.simulated = true
		panel := virtfusiontest.NewPanel(virtfusiontest.Options{Speed: simulatedSpeed})
		transport, err := p.simulate(ctx, c, simulation{"simulated-virtfusion.json", panel})
		if err != nil {
			return err
		}
		url, token, opts = panel.URL(), panel.Token(), append(opts, virtfusion.WithHTTPClient(&http.Client{Transport: transport}))
	}
	client, err := virtfusion.New(url, token, opts...)
	if err != nil {
		return settingError(err, map[string]string{"baseURL": envVirtFusionURL, "token": envVirtFusionToken})
	}
	p.url = client.BaseURL()
	p.provider = virtfusion.NewProvider(client, virtfusion.ProviderOptions{FallbackLocation: virtfusion.HypervisorGroupID(c.fallbackLocation)})
	return nil
}

func (p *panels) openOSPAB(ctx context.Context, c config, users ospabpanel.UserTable) error {
	isReal, err := c.real("OSPAB panel", ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey)
	switch {
	case err != nil:
		return err
	case isReal && p.simulated:
		return usageError{fmt.Errorf("%s is set, but the panel with the servers would be simulated: set %s and %s as well", ospabpanel.EnvPanelURL, envVirtFusionURL, envVirtFusionToken)}
	case isReal:
		sync, err := ospabpanel.NewFromEnv(c.getenv)
		if err != nil {
			return settingError(err, nil)
		}
		p.ospabURL = sync.BaseURL()
		p.registrar, err = ospabpanel.NewRegistrar(sync, users)
		return err
	case !p.simulated:
		return nil
	}
	panel := ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	for _, name := range simulatedUsers {
		panel.AddUser(name)
	}
	transport, err := p.simulate(ctx, c, simulation{"simulated-ospab.json", panel})
	if err != nil {
		return err
	}
	p.row = func(id provisioning.RecordID) (ospabpaneltest.Record, bool) {
		for _, r := range panel.Records() {
			if strconv.FormatInt(r.ID, 10) == string(id) {
				return r, true
			}
		}
		return ospabpaneltest.Record{}, false
	}
	return p.simulatedOSPAB(panel, transport, users)
}

// simulatedOSPAB makes a registrar that can also search, because a simulated panel hands out its users' tokens.
func (p *panels) simulatedOSPAB(panel *ospabpaneltest.Panel, transport http.RoundTripper, users ospabpanel.UserTable) error {
	through := ospabpanel.WithHTTPClient(&http.Client{Transport: transport})
	sync, err := ospabpanel.New(panel.URL(), panel.Key(), through)
	if err != nil {
		return err
	}
	p.ospabURL = sync.BaseURL()
	registrar, err := ospabpanel.NewRegistrar(sync, users)
	if err != nil {
		return err
	}
	p.registrar, err = ospabpanel.NewFindingRegistrar(registrar, func(_ context.Context, user ospabpanel.PanelUserID) (*ospabpanel.UserClient, error) {
		return ospabpanel.NewUserClient(panel.URL(), user, ospabpanel.StaticToken(panel.Token(int64(user))), through)
	})
	return err
}

// simulate restores a simulated panel from the state folder, and returns a transport that stores it there after everything that may have changed it.
func (p *panels) simulate(ctx context.Context, c config, s simulation) (http.RoundTripper, error) {
	p.onClose(s.panel.Close)
	if c.state == "" {
		return s.panel.Transport(), nil
	}
	locks, err := provisioning.NewFileIntents(c.state)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := locks.Lock(ctx, s.file)
	if err != nil {
		return nil, usageError{fmt.Errorf("the simulated panels in %s are in use by another run", c.state)}
	}
	p.onClose(unlock)
	file := filepath.Join(c.state, s.file)
	b, err := os.ReadFile(file) // #nosec G304 -- the user names the folder
	if err == nil {
		err = s.panel.Restore(b)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return &storing{simulation: s, path: file}, nil
}

func (p *panels) onClose(f func()) { p.closers = append(p.closers, f) }

func (p *panels) close() {
	for _, f := range p.closers {
		f()
	}
}

// storing is a transport that stores the simulated panel behind it. It does so before the answer is handed on, as a panel's database does: what this program has been told survives it.
type storing struct {
	simulation
	path string
	mu   sync.Mutex
}

// RoundTrip implements http.RoundTripper.
func (s *storing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.panel.Transport().RoundTrip(r)
	if r.Method == http.MethodGet {
		return resp, err
	}
	if storeErr := s.store(); storeErr != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, errors.Join(storeErr, err)
	}
	return resp, err
}

func (s *storing) store() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.panel.Snapshot()
	if err != nil {
		return err
	}
	return writeFile(s.path, b)
}

// settle is how long after a lost answer a panel may still carry a request out, unless -settle says otherwise.
func (p *panels) settle(c config) time.Duration {
	if p.simulated {
		return cmp.Or(c.settle, 2*time.Second)
	}
	return cmp.Or(c.settle, 2*time.Minute)
}

// settingError words an error of a constructor as what it is about here: a variable of the environment.
func settingError(err error, variables map[string]string) error {
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for field, messages := range e.Fields {
			return usageError{fmt.Errorf("%s %s", cmp.Or(variables[field], field), messages[0])}
		}
	}
	return err
}
