package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/examples/internal/terminal"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// demo orders from this program's own routes, as a web shop would, and follows its orders through their events.
type demo struct {
	base   string
	panels *panels
	screen *screen

	mu       sync.Mutex
	services map[string]serviceDocument
	news     chan struct{} // closed when something has changed
}

const demoPatience = 2 * time.Minute

// showItself serves, plays, prints what became of it, and ends.
func showItself(ctx context.Context, s *site, p *panels, l net.Listener, stdout io.Writer) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.serve(serving, l, time.Hour) }()
	d := &demo{
		base: "http://" + l.Addr().String(), panels: p, services: map[string]serviceDocument{}, news: make(chan struct{}),
		screen: &screen{w: stdout, live: terminal.Is(stdout, os.Getenv), start: time.Now()},
	}
	playing, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	d.screen.print("No panel is set, so this run uses simulated ones, and a database that ends with it. The main site is at %s.\n", d.base)
	err := d.play(playing)
	d.screen.finish()
	if err == nil {
		d.facts()
	}
	stop()
	return errors.Join(err, <-ended)
}

// play is the story. Each of its steps is a request that a shop makes.
func (d *demo) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.customers, d.mistake, d.orders, d.outage, d.password, d.deletion, d.reconcile} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) customers(ctx context.Context) error {
	for _, c := range []struct{ id, body string }{
		{"123", `{"name": "Ann Example", "email": "ann@example.com", "ospabUserId": 5}`},
		{"124", `{"name": "Bea Example", "email": "bea@example.net", "ospabUserId": 2}`},
	} {
		var stored customer
		if err := d.call(ctx, "PUT", "/customers/"+c.id, c.body, &stored); err != nil {
			return err
		}
		d.note("PUT /customers/"+c.id, http.StatusOK, "%s is customer %s here, and user %v of the OSPAB panel", stored.Name, c.id, stored.OSPABUserID)
	}
	return nil
}

// mistake orders 8 of something.
func (d *demo) mistake(ctx context.Context) error {
	body := strings.Replace(demoOrder("order-1", "123"), "{", `{"memory": 8, `, 1)
	err := d.call(ctx, "POST", "/vps", body, nil)
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		return fmt.Errorf("an order of 8 of memory was not refused: %w", err)
	}
	d.note("POST /vps", refused.status, "%s", refused.Error())
	return nil
}

// orders places two orders. The answer to the create of the second one gets lost on the way.
func (d *demo) orders(ctx context.Context) error {
	if err := d.place(ctx, "order-1", "123"); err != nil {
		return err
	}
	if err := d.until(ctx, "order-1", func(s serviceDocument) bool { return s.Server != nil }); err != nil {
		return err
	}
	d.panels.virtFusion.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CutAfter})
	d.screen.note("VirtFusion", "makes the next server, and its answer gets lost")
	if err := d.place(ctx, "order-2", "124"); err != nil {
		return err
	}
	return d.until(ctx, "order-2", func(s serviceDocument) bool { return s.Record != nil && s.Record.ID != "" })
}

// outage orders a third server while nobody listens at the OSPAB panel's address.
func (d *demo) outage(ctx context.Context) error {
	d.panels.ospabLine.down.Store(true)
	d.screen.note("OSPAB", "the panel is down")
	if err := d.place(ctx, "order-3", "123"); err != nil {
		return err
	}
	if err := d.untilAll(ctx, func(s serviceDocument) bool { return s.Server != nil && s.Server.State == provisioning.StateOnline }); err != nil {
		return err
	}
	var waits serviceDocument
	if err := d.until(ctx, "order-3", func(s serviceDocument) bool {
		waits = s
		return s.Record.State != engine.Sending && strings.Contains(s.Why, "connection refused")
	}); err != nil {
		return err
	}
	d.note("GET /vps/order-3", http.StatusOK, "why: %s", waits.Why)
	d.screen.note("OSPAB", "the panel is back; no server has waited for it")
	d.panels.ospabLine.down.Store(false)
	return d.untilAll(ctx, func(s serviceDocument) bool { return s.AsDesired })
}

func (d *demo) password(ctx context.Context) error {
	const path = "/vps/order-1/password"
	var p passwordDocument
	if err := d.call(ctx, "POST", path, "", &p); err != nil {
		return err
	}
	d.note("POST "+path, http.StatusOK, "%s", p.Password.Reveal())
	err := d.call(ctx, "POST", path, "", nil)
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		return fmt.Errorf("a password was told twice: %w", err)
	}
	d.note("POST "+path, refused.status, "%s", refused.Error())
	return nil
}

func (d *demo) deletion(ctx context.Context) error {
	if err := d.call(ctx, "DELETE", "/vps/order-2", "", nil); err != nil {
		return err
	}
	d.note("DELETE /vps/order-2", http.StatusAccepted, "first the server, then its record")
	return d.until(ctx, "order-2", func(s serviceDocument) bool { return s.AsDesired && s.State == engine.Gone })
}

// reconcile finds the server that somebody has made by hand.
func (d *demo) reconcile(ctx context.Context) error {
	if _, err := d.panels.virtFusion.AddServer(virtfusiontest.Server{Name: "by-hand", Built: true}); err != nil {
		return err
	}
	d.screen.note("VirtFusion", "somebody makes a server by hand")
	var plan planDocument
	if err := d.call(ctx, "POST", "/reconcile?apply=true", "", &plan); err != nil {
		return err
	}
	d.note("POST /reconcile?apply=true", http.StatusOK, "servers and records compared: %d, differences: %d, resynchronised: %d", plan.Checked, len(plan.Differences), len(plan.Resynced))
	for _, x := range plan.Differences {
		d.screen.note(x.Panel, "%s: %s: %s; nothing is done about it", x.What, x.Have, x.Want)
	}
	return d.untilAll(ctx, func(s serviceDocument) bool { return s.AsDesired })
}

func demoOrder(key, customer string) string {
	return fmt.Sprintf(`{"key": %q, "customer": %q, "hostname": "%s.example.com", "plan": "%d", "image": "%d", "os": "Debian 12", "location": "%d", "ipv6": true}`,
		key, customer, key, virtfusiontest.PackageMedium, virtfusiontest.TemplateDebian, virtfusiontest.GroupAmsterdam)
}

// place orders a server, and follows it.
func (d *demo) place(ctx context.Context, key, customer string) error {
	began := time.Now()
	var accepted acceptedDocument
	if err := d.call(ctx, "POST", "/vps", demoOrder(key, customer), &accepted); err != nil {
		return err
	}
	d.note("POST /vps", http.StatusAccepted, "%s is stored, after %d ms", accepted.Key, time.Since(began).Milliseconds())
	events, err := d.open(ctx, "GET", accepted.Events, "") //nolint:bodyclose // follow closes it
	if err != nil {
		return err
	}
	go d.follow(key, events.Body)
	return nil
}

// follow reads events until the site ends.
func (d *demo) follow(key string, events io.ReadCloser) {
	defer func() { _ = events.Close() }()
	for lines := bufio.NewScanner(events); lines.Scan(); {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		var s serviceDocument
		if !ok || json.Unmarshal(data, &s) != nil {
			continue
		}
		d.mu.Lock()
		before := d.services[key]
		d.services[key] = s
		close(d.news)
		d.news = make(chan struct{})
		d.mu.Unlock()
		d.screen.update(before, s)
	}
}

// until waits for an event of a service.
func (d *demo) until(ctx context.Context, key string, what func(serviceDocument) bool) error {
	for {
		d.mu.Lock()
		s, news := d.services[key], d.news
		d.mu.Unlock()
		if what(s) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("%s is not as it should be: %s: %w", key, s.Why, ctx.Err())
		}
	}
}

func (d *demo) untilAll(ctx context.Context, what func(serviceDocument) bool) error {
	for _, key := range []string{"order-1", "order-2", "order-3"} {
		if err := d.until(ctx, key, what); err != nil {
			return err
		}
	}
	return nil
}

// refusal is an answer that is not a success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// call makes a request and decodes its answer.
func (d *demo) call(ctx context.Context, method, path, body string, answer any) error {
	r, err := d.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	if answer == nil {
		return nil
	}
	return json.NewDecoder(r.Body).Decode(answer)
}

func (d *demo) open(ctx context.Context, method, path, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r) // #nosec G704 -- the address is this program's own
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	var e errorDocument
	err = json.NewDecoder(resp.Body).Decode(&e)
	return nil, errors.Join(err, &refusal{resp.StatusCode, e.Error.Message})
}

func (d *demo) note(request string, status int, format string, args ...any) {
	d.screen.note(request, strconv.Itoa(status)+"  "+format, args...)
}

// facts prints what the simulated panels hold in the end.
func (d *demo) facts() {
	made, deleted := 0, 0
	for _, s := range d.panels.virtFusion.Servers() {
		if s.Name != "by-hand" {
			made++
		}
		if !s.DeletedAt.IsZero() {
			deleted++
		}
	}
	d.screen.print("\nThree orders became %d servers on VirtFusion, of which %d was deleted again. The OSPAB panel has:", made, deleted)
	records := d.panels.ospab.Records()
	slices.SortFunc(records, func(a, b ospabRecord) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range records {
		d.screen.print("  record %d  %s of user %d: %s, cpu = %d, ram = %d (MB), disk = %d (GB), os = %q", r.ID, r.Name, r.UserID, r.Status, r.CPUCores, r.MemoryMB, r.DiskGB, r.OS)
	}
}
