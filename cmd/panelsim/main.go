// Panelsim serves simulated panels over HTTP, for programs in any language that talk to such panels.
//
//	go run github.com/hvpanels/hvpanels/cmd/panelsim@latest
//
// It prints the environment variables that the examples of this module read, and a curl command for each panel. The panels keep state: what is created can be read, builds take time, credentials and input
// are checked, faults can be injected, and the SolusVM 2 panel calls webhooks. They are the ones of the packages virtfusiontest, solusvm2test and ospabpaneltest, whose documentation says what they know
// and what is a guess.
//
// # Control
//
// Every panel has three more paths, which need no credentials:
//
//	GET    /_sim/servers  the truth: the servers, or the records, that exist
//	POST   /_sim/faults   adds fault rules, a JSON array
//	DELETE /_sim/faults   removes all fault rules
//
// A fault rule has these members, of which "do" is required:
//
//	op          operation id ("createServer", "buildServer", "syncVPS"); every operation when absent
//	do          refuse       close the connection before reading the request
//	            cut before   read the request, do nothing, close the connection
//	            cut after    carry it out, then close the connection without an answer
//	            commit late  close the connection now, carry it out after "late"
//	            answer       do nothing, answer "status" with "body"
//	            answer late  carry it out, then answer "status" with "body"
//	            html         do nothing, answer "status" (502) with a page of HTML, as a proxy does
//	            cut body     carry it out, send half of the answer and close the connection
//	            hang         do nothing and never answer
//	            hang after   carry it out and never answer
//	            slow         answer after "delay"
//	skip        how many matching requests pass first
//	times       how many requests it hits: 1 when absent, all when negative
//	delay, late such as "5s"
//	status, body, retryAfter of the answer; retryAfter is the text of a Retry-After header
//
// This makes the next create of the VirtFusion panel happen, and loses its answer:
//
//	curl -d '[{"op": "createServer", "do": "cut after"}]' http://127.0.0.1:8801/_sim/faults
//
// # Event handlers
//
// On a real SolusVM 2 panel an administrator makes event handlers under Settings, Event Handlers; which path of the API that is nobody has published. Here they are made through control paths of the
// SolusVM 2 panel. They really call their webhooks over the network, as the panel does: POST, an empty body, everything in the URL, certificates not checked, once.
//
//	GET    /_sim/event-handlers       the event handlers, with their secrets
//	POST   /_sim/event-handlers       makes one: {"name", "url", "events": [...], "parameters": {...}, "enabled"}
//	GET    /_sim/event-handlers/ID
//	PATCH  /_sim/event-handlers/ID    changes the members that are sent: {"enabled": false} switches it off
//	DELETE /_sim/event-handlers/ID
//	GET    /_sim/events               what an event handler can be tied to
//	GET    /_sim/deliveries           the calls that were made, and what became of them
//
// This calls a receiver for each new server:
//
//	curl -d '{"name": "shop", "url": "http://127.0.0.1:9000/webhook", "events": ["Create a server"], "parameters": {"secret": "simulated-webhook-secret"}, "enabled": true}' \
//	    http://127.0.0.1:8802/_sim/event-handlers
//
// # State
//
// With -state FILE the panels begin with what the file holds, and it is written after every request that may have changed something, and at the end. It holds the credentials. A panelsim that is killed
// may forget the request it was working on. Event handlers are stored, fault rules are not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

type config struct {
	virtFusion, solusVM2, ospab string // addresses to listen at; "" means not at all
	virtFusionToken             string
	virtFusionVersion           string
	solusVM2Token               string
	ospabKey                    string
	speed                       float64
	state                       string
	allowRemote, version        bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it ends with ctx. Its result is the exit code: 0, 1 when serving failed, 2 when a flag is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		say(stderr, "panelsim: %v\n", err)
		return 2
	case c.version:
		say(stdout, "panelsim %s\n", version())
		return 0
	}
	sims, err := open(ctx, c, stderr)
	if err != nil {
		say(stderr, "panelsim: %v\n", err)
		return 2
	}
	printIntroduction(stdout, sims)
	if err := serve(ctx, sims); err != nil {
		say(stderr, "panelsim: %v\n", err)
		return 1
	}
	return 0
}

func parseFlags(args []string, stderr io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("panelsim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&c.virtFusion, "virtfusion", "127.0.0.1:8801", "`ADDRESS` of the VirtFusion panel, port 0 for any; \"\" for none")
	f.StringVar(&c.virtFusionToken, "virtfusion-token", "", "its API `TOKEN` (default "+defaultVirtFusionToken+")")
	f.StringVar(&c.virtFusionVersion, "virtfusion-version", "7.1", "its `VERSION`: 6.2, 7.0 or 7.1")
	f.StringVar(&c.solusVM2, "solusvm2", "127.0.0.1:8802", "`ADDRESS` of the SolusVM 2 panel, port 0 for any; \"\" for none")
	f.StringVar(&c.solusVM2Token, "solusvm2-token", "", "the API `TOKEN` of its administrator (default "+defaultSolusVM2Token+")")
	f.StringVar(&c.ospab, "ospab", "127.0.0.1:5050", "`ADDRESS` of the OSPAB panel, port 0 for any; \"\" for none")
	f.StringVar(&c.ospabKey, "ospab-key", "", "its sync `KEY`, at least 32 characters (default "+ospabpaneltest.DefaultKey.Reveal()+")")
	f.Float64Var(&c.speed, "speed", 1, "how much faster than real panels: 10 builds a server in 2.3 s")
	f.StringVar(&c.state, "state", "", "`FILE` that keeps the panels from one run to the next")
	f.BoolVar(&c.allowRemote, "allow-remote", false, "allow addresses that other machines can reach; they get the control paths too, and can make event handlers call any address")
	f.BoolVar(&c.version, "version", false, "print the version of this program")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	return c, c.check(f.Args())
}

func (c config) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case c.virtFusion == "" && c.solusVM2 == "" && c.ospab == "":
		return errors.New("there is nothing to serve: -virtfusion, -solusvm2 and -ospab are all empty")
	case c.speed <= 0:
		return errors.New("-speed must be above 0")
	case c.ospabKey != "" && len(c.ospabKey) < 32:
		return errors.New("-ospab-key must have at least 32 characters, as on a real panel")
	case !slices.Contains([]string{virtfusiontest.V62, virtfusiontest.V70, virtfusiontest.V71}, c.virtFusionVersion):
		return fmt.Errorf("-virtfusion-version %q is not 6.2, 7.0 or 7.1", c.virtFusionVersion)
	}
	for _, a := range []struct{ flag, address string }{{"virtfusion", c.virtFusion}, {"solusvm2", c.solusVM2}, {"ospab", c.ospab}} {
		if a.address != "" && !c.allowRemote && !loopback(a.address) {
			return fmt.Errorf("-%s %s can be reached from other machines: use 127.0.0.1, or allow it with -allow-remote", a.flag, a.address)
		}
	}
	return nil
}

// loopback reports whether only this machine reaches the address. An address without a host is every address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // Listen says what is wrong with it
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// say prints. That nobody reads it is no reason to stop.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// printIntroduction prints lines that can be pasted into a shell: whatever is not a command is a comment.
func printIntroduction(w io.Writer, sims []*simulation) {
	var exports, commands, webhooks []string
	for _, s := range sims {
		d := s.describe()
		say(w, "# %s at %s%s\n", d.title, s.url, d.note)
		for _, e := range d.exports {
			exports = append(exports, "export "+e)
		}
		commands = append(commands, d.command)
		if d.webhook != "" {
			webhooks = append(webhooks, d.webhook)
		}
	}
	say(w, "\n# For programs that use them:\n%s\n", strings.Join(exports, "\n"))
	say(w, "\n# To try them:\n%s\n", strings.Join(commands, "\n"))
	say(w, "\n# What there is:\n")
	for _, s := range sims {
		say(w, "curl %s/_sim/servers\n", s.url)
	}
	say(w, "\n# The next one happens, and its answer is lost:\n")
	for _, s := range sims {
		say(w, "curl -d '[{\"op\": \"%s\", \"do\": \"cut after\"}]' %s/_sim/faults\n", s.write, s.url)
	}
	if len(webhooks) > 0 {
		say(w, "\n# A webhook, for a receiver of yours:\n%s\n", strings.Join(webhooks, "\n"))
	}
	say(w, "\n# Ctrl-C ends.\n")
}

// serve serves until ctx ends or a listener fails.
func serve(ctx context.Context, sims []*simulation) error {
	failed := make(chan error, len(sims))
	var servers []*http.Server
	for _, s := range sims {
		server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, server)
		go func() { failed <- server.Serve(s.listener) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second) // requests that hang are not waited for
	defer cancel()
	for i, server := range servers {
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		sims[i].panel.Close()
	}
	return errors.Join(err, sims[0].state.store(sims...))
}
