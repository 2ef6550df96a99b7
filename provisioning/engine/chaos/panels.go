//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// The names of the panels, as the engine knows them.
const (
	alpha   = "alpha"   // VirtFusion
	beta    = "beta"    // SolusVM 2
	records = "records" // OSPAB
)

const (
	simulatedToken provisioning.Secret = "simulated-token-of-the-chaos-run"
	simulatedKey   provisioning.Secret = "simulated-key-of-the-chaos-run-000000"
)

const speed = 50 // how much faster than real ones the simulated panels are

// panels are the simulated panels, each behind its faults on a port of this machine.
type panels struct {
	alpha    *virtfusiontest.Panel
	beta     *solusvm2test.Panel
	records  *ospabpaneltest.Panel
	faults   map[string]*faults
	servers  []*http.Server
	setup    setup
	location int64 // of alpha, with enough addresses
	place    int64 // of beta
}

// customers is how many owners share the services. Few of them make orders wait for each other.
func customers(services int) int { return max(4, min(services/5, 400)) }

func newPanels(o options) (*panels, error) {
	p := &panels{
		alpha:   virtfusiontest.NewPanel(virtfusiontest.Options{Token: simulatedToken, Speed: speed}),
		beta:    solusvm2test.NewPanel(solusvm2test.Options{Token: simulatedToken, Speed: speed}),
		records: ospabpaneltest.NewPanel(ospabpaneltest.Options{Key: simulatedKey}),
		faults:  map[string]*faults{},
	}
	p.location = p.alpha.AddHypervisorGroup(virtfusiontest.HypervisorGroup{
		Name: "Chaos", IPv4: netip.MustParsePrefix("10.0.0.0/15"), Hypervisors: []virtfusiontest.Hypervisor{{Name: "kvm1", IP: "192.0.2.1"}},
	})
	p.place = p.beta.AddLocation("Chaos")
	block := p.beta.AddIPBlock(solusvm2test.IPBlock{
		Name: "chaos", From: netip.MustParseAddr("10.4.0.10"), To: netip.MustParseAddr("10.5.255.250"), Gateway: netip.MustParseAddr("10.4.0.1"),
	})
	p.beta.AddComputeResource(solusvm2test.ComputeResource{Name: "kvm2", Host: "192.0.2.2", LocationID: p.place, BlockIDs: []int64{block}})
	for i := range customers(o.services) {
		u := p.records.AddUser("customer" + strconv.Itoa(i))
		p.setup.Users = append(p.setup.Users, account{Ref: owner(i).Ref, ID: u.ID, Name: u.Username, Password: u.Password})
	}
	for _, s := range []struct {
		name  string
		panel simulated
		url   *string
	}{{alpha, p.alpha, &p.setup.Alpha}, {beta, p.beta, &p.setup.Beta}, {records, p.records, &p.setup.Records}} {
		f := newFaults(o, s.name, s.panel)
		l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		server := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
		p.faults[s.name], p.servers, *s.url = f, append(p.servers, server), "http://"+l.Addr().String()
		go func() { _ = server.Serve(l) }() // it ends with Close
	}
	return p, nil
}

func owner(i int) provisioning.Owner {
	return provisioning.Owner{Ref: strconv.Itoa(1000 + i), Name: "Customer " + strconv.Itoa(i), Email: fmt.Sprintf("customer%d@example.com", i)}
}

func (p *panels) close() error {
	var err error
	for _, s := range p.servers {
		err = errors.Join(err, s.Close())
	}
	p.alpha.Close()
	p.beta.Close()
	p.records.Close()
	return err
}

// quiet ends all faults.
func (p *panels) quiet() {
	for _, f := range p.faults {
		f.set(false)
	}
}

func (p *panels) loud() {
	for _, f := range p.faults {
		f.set(true)
	}
}

// requests counts what has arrived so far.
func (p *panels) requests() (n int) {
	for _, f := range p.faults {
		f.mu.Lock()
		n += f.requests
		f.mu.Unlock()
	}
	return n
}

// machine is a server as a panel has it.
type machine struct {
	key       string
	id        string
	alive     bool
	suspended bool
	running   bool
	builds    int
}

// machines lists every server that was ever made.
func (p *panels) machines() map[string][]machine {
	all := map[string][]machine{}
	for _, s := range p.alpha.Servers() {
		all[alpha] = append(all[alpha], machine{s.Name, strconv.FormatInt(s.ID, 10), s.DeletedAt.IsZero(), s.Suspended, s.Running, s.Builds})
	}
	for _, s := range p.beta.Servers() {
		all[beta] = append(all[beta], machine{s.Description, strconv.FormatInt(s.ID, 10), s.DeletedAt.IsZero(), s.Suspended, s.Running, s.Builds})
	}
	return all
}
