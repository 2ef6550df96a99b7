package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
)

// simulation is one panel as this program serves it.
type simulation struct {
	name     string // its part of the state file
	panel    panel
	write    string                    // an operation that is worth breaking
	key      func() (is, asked string) // its credential, and the one that a flag asks for
	servers  func() any                // the truth for /_sim/servers
	events   http.Handler              // the control paths of event handlers, nil for none
	describe func() description

	url      string
	listener net.Listener
	state    *stateFile
}

// panel is what all simulated panels have.
type panel interface {
	http.Handler
	Inject(f provisioningtest.Fault)
	Faults() *provisioningtest.Faults
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
	Close()
}

// description is what a person is told about a panel.
type description struct {
	title   string
	note    string   // after the address
	exports []string // environment variables for programs
	command string   // a curl command that works
	webhook string   // a curl command that makes an event handler, "" where there are none
}

// open listens and makes the panels. A further kind of panel is one more line here.
func open(ctx context.Context, c config, stderr io.Writer) ([]*simulation, error) {
	state, err := readState(c.state, stderr)
	if err != nil {
		return nil, err
	}
	var sims []*simulation
	for _, s := range []struct {
		address string
		make    func(c config, url string) *simulation
	}{
		{c.virtFusion, newVirtFusion},
		{c.solusVM2, newSolusVM2},
		{c.ospab, newOSPAB},
	} {
		if s.address == "" {
			continue
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
		if err != nil {
			closeAll(sims)
			return nil, err
		}
		url := "http://" + l.Addr().String()
		sim := s.make(c, url)
		sim.url, sim.listener, sim.state = url, l, state
		sims = append(sims, sim)
		if err := state.restore(sim); err != nil {
			closeAll(sims)
			return nil, err
		}
	}
	return sims, nil
}

func closeAll(sims []*simulation) {
	for _, s := range sims {
		_ = s.listener.Close()
		s.panel.Close()
	}
}

// quote makes one word of a POSIX shell.
func quote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
