package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// panels are what one run drives: a panel with servers, and perhaps an OSPAB panel that shows them to customers.
type panels struct {
	kind
	servers
	simulated bool

	registrar provisioning.Registrar // nil: no OSPAB panel is driven
	ospabURL  string
	// row is what a simulated OSPAB panel has stored; it is nil for a real one, whose rows the sync key cannot read.
	row func(provisioning.RecordID) (ospabpaneltest.Record, bool)

	closers []func()
}

// kind is one kind of panel with servers. This program knows nothing else about them: a further kind is one more file, and one more line in kinds.
type kind struct {
	flag           string // for -panel
	name           string
	urlVar, keyVar string // variables of the environment
	image          string // what a new simulated panel calls Debian 12
	simulate       func() simulatedPanel
	// connect makes the provider, without a request; through is nil for the network.
	connect func(c config, url string, token provisioning.Secret, through *http.Client) (servers, error)
}

// servers is how a panel with servers is driven.
type servers struct {
	words
	provider provisioning.Provider
	url      string // as the client has it
}

// words are what a person is told that differs between panels.
type words struct {
	planned string // the order is about to be sent
	power   string // who says whether the server runs
	noPower string // nobody does
}

func kinds() []kind { return []kind{virtFusion(), solusVM2()} }

// simulatedPanel is what the simulated panels with servers have in common.
type simulatedPanel interface {
	stored
	URL() string
	Token() provisioning.Secret
}

// stored is a simulated panel as this program keeps it in its state folder.
type stored interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
	Transport() http.RoundTripper
	Close()
}

// What every new simulated panel sells; see the catalogues of virtfusiontest and solusvm2test.
const (
	simulatedPlan     = "VPS M"
	simulatedLocation = "Amsterdam"
)

// simulatedUsers are the panel users 1 to 5 of a new simulated OSPAB panel.
var simulatedUsers = []string{"alice", "bob", "carol", "dave", "erin"}

// kind is the one that -panel names, VirtFusion without it. Then settings of another kind alone are refused, because they would have no effect.
func (c config) kind() (kind, error) {
	all := kinds()
	chosen := cmp.Or(c.panel, all[0].flag)
	var names []string
	for _, k := range all {
		if c.panel == "" && c.getenv(all[0].urlVar) == "" && c.getenv(k.urlVar) != "" {
			return kind{}, usageError{fmt.Errorf("%s is set, but without -panel this run would simulate a %s panel: say -panel %s, or -panel %s", k.urlVar, all[0].name, k.flag, all[0].flag)}
		}
		names = append(names, k.flag)
	}
	i := slices.Index(names, chosen)
	if i < 0 {
		return kind{}, usageError{fmt.Errorf("-panel %q is not known: %s", chosen, strings.Join(names, " or "))}
	}
	return all[i], nil
}

// openPanels opens the panels that the environment names, or simulated ones. It makes no request.
func openPanels(ctx context.Context, c config, k kind, users ospabpanel.UserTable) (*panels, error) {
	p := &panels{kind: k}
	err := p.openServers(ctx, c)
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

// openServers opens the panel with the servers.
func (p *panels) openServers(ctx context.Context, c config) error {
	isReal, err := c.real(p.name+" panel", p.urlVar, p.keyVar)
	if err != nil {
		return err
	}
	url, token := c.getenv(p.urlVar), provisioning.Secret(c.getenv(p.keyVar))
	var through *http.Client
	if !isReal {
		p.simulated = true
		panel := p.simulate()
		transport, err := p.keep(ctx, c, p.flag, panel)
		if err != nil {
			return err
		}
		url, token, through = panel.URL(), panel.Token(), &http.Client{Transport: transport}
	}
	p.servers, err = p.connect(c, url, token, through)
	return settingError(err, map[string]string{"baseURL": p.urlVar, "token": p.keyVar})
}

func (p *panels) openOSPAB(ctx context.Context, c config, users ospabpanel.UserTable) error {
	isReal, err := c.real("OSPAB panel", ospabpanel.EnvPanelURL, ospabpanel.EnvSyncKey)
	switch {
	case err != nil:
		return err
	case isReal && p.simulated:
		return usageError{fmt.Errorf("%s is set, but the panel with the servers would be simulated: set %s and %s as well", ospabpanel.EnvPanelURL, p.urlVar, p.keyVar)}
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
	transport, err := p.keep(ctx, c, "ospab", panel)
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

// keep restores a simulated panel from the state folder, and returns a transport that stores it there after everything that may have changed it.
func (p *panels) keep(ctx context.Context, c config, name string, panel stored) (http.RoundTripper, error) {
	p.onClose(panel.Close)
	if c.state == "" {
		return panel.Transport(), nil
	}
	locks, err := provisioning.NewFileIntents(c.state)
	if err != nil {
		return nil, err
	}
	name = "simulated-" + name + ".json"
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := locks.Lock(ctx, name)
	if err != nil {
		return nil, usageError{fmt.Errorf("the simulated panels in %s are in use by another run", c.state)}
	}
	p.onClose(unlock)
	file := filepath.Join(c.state, name)
	b, err := os.ReadFile(file) // #nosec G304 -- the user names the folder
	if err == nil {
		err = panel.Restore(b)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return &storing{panel: panel, path: file}, nil
}

func (p *panels) onClose(f func()) { p.closers = append(p.closers, f) }

func (p *panels) close() {
	for _, f := range p.closers {
		f()
	}
}

// storing is a transport that stores the simulated panel behind it. It does so before the answer is handed on, as a panel's database does: what this program has been told survives it.
type storing struct {
	panel stored
	path  string
	mu    sync.Mutex
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
