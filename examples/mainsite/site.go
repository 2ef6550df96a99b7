package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

// The names of the panels in the engine. The ids of servers and records are stored under them, for ever.
const (
	providerName  = "virtfusion"
	registrarName = "ospab"
)

// site takes orders and says how they are. It asks no panel: the engine does, later and again.
type site struct {
	db     *database
	engine *engine.Engine
	log    *slog.Logger
	events watchers
	hooks  http.Handler    // of the VirtFusion panel's webhooks; nil without a token
	ending context.Context // ends when the site does
	end    context.CancelFunc
}

// openSite opens the engine and lets it work. Orders of an earlier run are continued.
func openSite(ctx context.Context, c engine.Config, db *database, webhookToken provisioning.Secret) (*site, error) {
	e, err := engine.Open(ctx, c)
	switch {
	case errors.Is(err, provisioning.Mismatch):
		return nil, usageError{fmt.Errorf("%w (-moved)", err)}
	case err != nil:
		return nil, settingError(err, map[string]string{"databaseURL": envDatabaseURL, "passwordKey": envPasswordKey})
	}
	s := &site{db: db, engine: e, log: c.Logger, events: watchers{of: map[string]map[chan struct{}]bool{}}}
	s.ending, s.end = context.WithCancel(context.WithoutCancel(ctx))
	err = s.receiveHooks(webhookToken)
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		s.close(ctx)
		return nil, err
	}
	go s.events.run(s.ending, e)
	return s, nil
}

// close lets steps that run end. What they cannot finish in time is finished by the next run.
func (s *site) close(ctx context.Context) {
	s.end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil {
		s.log.WarnContext(ctx, "mainsite: the engine was cut off", "error", err)
	}
}

// serve answers requests until ctx ends, and compares everything with the panels now and then.
func (s *site) serve(ctx context.Context, l net.Listener, check time.Duration) error {
	server := &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(s.end)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	ticks := time.NewTicker(check)
	defer ticks.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ticks.C:
			go s.compare(s.ending)
		case <-ctx.Done():
			patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return server.Shutdown(patience)
		}
	}
}

// compare logs how the panels differ from what is stored. POST /reconcile?apply=true is for a person.
func (s *site) compare(ctx context.Context) {
	plan, err := s.engine.Reconcile(ctx, engine.ReconcileOptions{})
	for _, d := range plan.Differences {
		s.log.WarnContext(ctx, "mainsite: a panel differs", "panel", d.Panel, "key", d.Key, "id", d.ID, "what", string(d.What), "want", d.Want, "have", d.Have)
	}
	for _, what := range plan.Incomplete {
		s.log.WarnContext(ctx, "mainsite: could not be compared", "what", what)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "mainsite: the comparison failed", "error", err)
	}
}

// order is what a customer orders. Plan, image and location are ids of the panel's catalog, which a shop keeps with its tariffs: looking them up by name would need the panel.
type order struct {
	Key      string                               `json:"key"`
	Customer string                               `json:"customer"`
	Hostname string                               `json:"hostname"`
	Plan     string                               `json:"plan"`
	Image    string                               `json:"image"`
	OS       string                               `json:"os"` // what Image is, in words: the OSPAB panel shows it to the customer
	Location string                               `json:"location,omitempty"`
	IPv4     int                                  `json:"ipv4"`
	IPv6     bool                                 `json:"ipv6"`
	SSHKeys  []string                             `json:"sshKeys,omitempty"`
	Memory   provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	Disk     provisioning.Opt[provisioning.Bytes] `json:"disk,omitzero"`
	VCPUs    provisioning.Opt[int]                `json:"vcpus,omitzero"`
}

const longestOS = 100 // characters, on the OSPAB panel

// check validates what the engine does not.
func (o order) check() error {
	switch {
	case o.Customer == "":
		return provisioning.InvalidField("customer", "is missing")
	case strings.TrimSpace(o.OS) == "":
		return provisioning.InvalidField("os", "is missing: the operating system in words, such as \"Debian 12\"")
	case utf8.RuneCountInString(o.OS) > longestOS:
		return provisioning.InvalidField("os", "must be at most %d characters", longestOS)
	}
	return nil
}

// service is what should be: a server for the customer, and a record of it on the OSPAB panel.
func (o order) service(c customer) engine.Service {
	return engine.Service{
		Key: o.Key, Provider: providerName, Registrars: []string{registrarName}, Desired: engine.Present,
		Record: provisioning.Record{Image: o.OS}, // the rest of the record is what the panel tells about the server
		Spec: provisioning.CreateRequest{
			Hostname: o.Hostname, Plan: o.Plan, Image: o.Image, Location: o.Location, Owner: provisioning.Owner{Ref: c.ID, Name: c.Name, Email: c.Email},
			SSHKeys: o.SSHKeys, IPv4: o.IPv4, IPv6: o.IPv6, Memory: o.Memory, Disk: o.Disk, VCPUs: o.VCPUs,
		},
	}
}

// place stores an order together with its service: both are there, or none. The same order again changes nothing, so that a customer who has seen no answer can send it again.
func (s *site) place(ctx context.Context, o order) error {
	if err := o.check(); err != nil {
		return err
	}
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var fresh bool
	err = s.db.tx(ctx, func(tx *sql.Tx) error {
		c, err := loadCustomer(ctx, tx, o.Customer)
		if errors.Is(err, provisioning.NotFound) {
			return provisioning.InvalidField("customer", "is not known; PUT /customers/{id} makes it known")
		}
		if err != nil {
			return err
		}
		if fresh, err = saveOrder(ctx, tx, o.Key, o.Customer, o.Hostname, string(body)); err != nil || !fresh {
			return err
		}
		return s.engine.ApplyTx(ctx, engine.SQLTx(tx), o.service(c))
	})
	if err != nil || fresh {
		return err
	}
	status, err := s.engine.Status(ctx, o.Key)
	if err == nil && status.Desired == engine.Absent {
		err = conflict("the server of %s was deleted; its key is never used again", o.Key)
	}
	return err
}

// desire changes what a service should be.
func (s *site) desire(ctx context.Context, key string, d engine.Desired) error {
	return s.engine.Apply(ctx, engine.Service{Key: key, Desired: d})
}

// resetPassword asks the panel for a new root password, which waits for TakePassword then.
func (s *site) resetPassword(ctx context.Context, key string) (command string, err error) {
	return s.engine.Do(ctx, key, engine.Command{Verb: engine.ResetRootPassword})
}

// setCustomer stores a customer. Records that were waiting for the customer's user on the OSPAB panel are tried at once.
func (s *site) setCustomer(ctx context.Context, c customer) error {
	const page = 100
	userAdded, err := s.db.saveCustomer(ctx, c)
	if err != nil || !userAdded {
		return err
	}
	for after, more := "", true; more; {
		orders, err := s.db.orders(ctx, c.ID, after, page)
		if err != nil {
			return err
		}
		for _, o := range orders {
			after = o.key
			if err := s.resyncRecord(ctx, o.key); err != nil {
				return err
			}
		}
		more = len(orders) == page
	}
	return nil
}

// resyncRecord resynchronises a service that has no record yet.
func (s *site) resyncRecord(ctx context.Context, key string) error {
	status, err := s.engine.Status(ctx, key)
	if err != nil {
		return err
	}
	for _, t := range status.Targets {
		if t.Registrar && t.RecordID == "" && status.Desired != engine.Absent {
			if err := s.engine.Resync(ctx, key); !errors.Is(err, provisioning.ErrMaybeApplied) { // that is for a person, as before
				return err
			}
		}
	}
	return nil
}

var customerID = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// check validates a customer. VirtFusion wants ids to be numbers, and its accounts to have an address.
func (c customer) check() error {
	user, has := c.OSPABUserID.Get()
	switch {
	case !customerID.MatchString(c.ID):
		return provisioning.InvalidField("id", "must be a number above zero")
	case strings.TrimSpace(c.Name) == "":
		return provisioning.InvalidField("name", "is missing")
	case !strings.Contains(c.Email, "@"):
		return provisioning.InvalidField("email", "must be an e-mail address")
	case has && user < 1:
		return provisioning.InvalidField("ospabUserId", "must be the customer's user id on the OSPAB panel, which is not the main site's")
	}
	return nil
}
