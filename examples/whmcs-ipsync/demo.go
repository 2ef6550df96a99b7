package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// demo is this program with a simulated panel and a simulated WHMCS. The panel calls the receiver over the loopback interface, as a real one calls it over a
// network.
type demo struct {
	start  time.Time
	out    io.Writer
	panel  *solusvm2test.Panel
	client *solusvm2.Client
	whmcs  *fakeWHMCS
	server solusvm2.ServerID
	seen   chan outcome // looks that changed something
	stages []stage
}

// stage is one row of the table at the end.
type stage struct {
	name string
	record
}

const (
	demoService  = serviceID(1001)
	demoPatience = 20 * time.Second
)

// demonstrate lets the panel change the addresses of a server twice, and shows what WHMCS says before and after.
func demonstrate(ctx context.Context, c config, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "ipsync-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	c.state = dir
	d := &demo{start: time.Now(), out: stdout, seen: make(chan outcome, 16)}
	s, closeAll, err := d.simulate(ctx, c)
	if err != nil {
		return err
	}
	defer closeAll()
	if err := writeFile(newServiceMap(dir).path, links{d.server: {Service: demoService}}.csv()); err != nil {
		return err
	}
	r, err := c.open(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer r.close()
	r.worker.looked = func(_ solusvm2.ServerID, o outcome, err error) {
		if err == nil && o.changed() {
			d.seen <- o
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.serve(serving, l, c.path, 0) }()
	err = d.play(ctx, s.events, "http://"+l.Addr().String()+c.path)
	stop()
	return errors.Join(err, <-ended)
}

// simulate makes the panel with one server, and WHMCS with its service.
func (d *demo) simulate(ctx context.Context, c config) (s settings, closeAll func(), err error) {
	d.panel = solusvm2test.NewPanel(solusvm2test.Options{Timing: solusvm2test.Timing{
		Queue: 100 * time.Millisecond, Network: 600 * time.Millisecond, Migrate: 1200 * time.Millisecond,
	}})
	added, err := d.panel.AddServer(solusvm2test.Server{Name: "vps-1001.example.com", IPv6: true})
	if err != nil {
		d.panel.Close()
		return s, nil, err
	}
	d.server = solusvm2.ServerID(added.ID)
	credentials := whmcsCredentials{Identifier: provisioning.Secret(rand.Text()), Secret: provisioning.Secret(rand.Text())}
	d.whmcs = newFakeWHMCS(credentials)
	address, closeWHMCS, err := loopback(ctx, d.whmcs)
	if err != nil {
		d.panel.Close()
		return s, nil, err
	}
	closeAll = func() { d.panel.Close(); closeWHMCS() }
	s.events = solusvm2.EventOptions{
		Secrets: []provisioning.Secret{provisioning.Secret(rand.Text())}, AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	s.panel, err = solusvm2.New(d.panel.URL(), d.panel.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: d.panel.Transport()}))
	if err == nil {
		s.whmcs, err = newWHMCS(address, credentials, http.DefaultTransport)
	}
	if err == nil {
		d.client = s.panel
		err = d.sell(ctx, c)
	}
	if err != nil {
		closeAll()
	}
	return s, closeAll, err
}

// sell makes the service as it was when the server was sold.
func (d *demo) sell(ctx context.Context, c config) error {
	server, err := d.client.Servers.Get(ctx, d.server)
	if err != nil {
		return err
	}
	sold := wanted(server, c.ipv6)
	d.whmcs.add(demoService, "Active", sold.Dedicated, strings.Join(sold.Assigned, c.separator))
	return nil
}

// loopback serves h at an address of this machine.
func loopback(ctx context.Context, h http.Handler) (address string, closeAll func(), err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}

func (d *demo) play(ctx context.Context, events solusvm2.EventOptions, url string) error {
	say(d.out, "No panel is set, so this run uses a simulated SolusVM 2 panel and a simulated WHMCS. Nothing leaves this machine, and nothing is kept.\n")
	d.record("at first")
	setup, err := solusvm2.NewEventSetup(events, solusvm2.EventSetupRequest{Name: "whmcs-ipsync", URL: url, Event: solusvm2.EventAdditionalIP, Tag: eventTag})
	if err != nil {
		return err
	}
	if _, err := d.panel.AddEventHandler(solusvm2test.EventHandler{
		Name: setup.Name, URL: setup.URL, Events: []string{setup.Event}, Parameters: setup.Parameters, Enabled: true,
	}); err != nil {
		return err
	}
	d.line("receiver", fmt.Sprintf("at %s; an event handler of the panel calls it on %q", url, setup.Event))

	d.line("panel", fmt.Sprintf("server %d gets an additional address", d.server))
	if _, err := d.client.Servers.AddIPs(ctx, d.server, solusvm2.AddIPsRequest{Count: 1}); err != nil {
		return err
	}
	if err := d.changed(ctx, "an address was added"); err != nil {
		return err
	}
	d.line("panel", fmt.Sprintf("server %d moves to Frankfurt, where all its addresses are others", d.server))
	if _, err := d.client.Migrations.Create(ctx, solusvm2.MigrateServersRequest{
		Servers: []solusvm2.ServerID{d.server}, DestinationComputeResourceID: solusvm2.ComputeResourceID(solusvm2test.NodeFrankfurt),
	}); err != nil {
		return err
	}
	if err := d.changed(ctx, "the server was moved"); err != nil {
		return err
	}
	d.table()
	return nil
}

// changed waits until the worker has seen its change in WHMCS.
func (d *demo) changed(ctx context.Context, name string) error {
	select {
	case <-d.seen:
	case <-ctx.Done():
		return fmt.Errorf("%s, but WHMCS was not changed: %w", name, ctx.Err())
	}
	status, err := d.answered(ctx)
	if err != nil {
		return err
	}
	d.line("panel", fmt.Sprintf("its call of the receiver was answered with %d", status))
	d.line("whmcs", fmt.Sprintf("service %d was updated", demoService))
	d.record(name)
	return nil
}

// answered waits for the end of the panel's last call of the receiver, and returns the status that it was answered with.
func (d *demo) answered(ctx context.Context) (status int, err error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		calls := d.panel.Deliveries()
		if last := calls[len(calls)-1]; last.Done {
			return last.Status, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// record keeps what WHMCS shows now.
func (d *demo) record(name string) {
	d.stages = append(d.stages, stage{name, recordOf(service{
		DedicatedIP: text(d.whmcs.field(demoService, "dedicatedip")), AssignedIPs: text(d.whmcs.field(demoService, "assignedips")),
	})})
}

func (d *demo) line(what, text string) {
	say(d.out, "%6.1fs  %-8s  %s\n", time.Since(d.start).Seconds(), what, text)
}

func (d *demo) table() {
	say(d.out, "\n")
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	say(table, "service %d in WHMCS\tdedicatedip\tassignedips\n", demoService)
	for _, s := range d.stages {
		say(table, "%s\t%s\t%s\n", s.name, s.Dedicated, strings.Join(s.Assigned, ", "))
	}
	_ = table.Flush() // that nobody reads it is no reason to stop
}
