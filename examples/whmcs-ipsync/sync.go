package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// syncer brings the addresses of one server into WHMCS. This file is the part to copy, with whmcs.go.
type syncer struct {
	panel     *solusvm2.Client
	whmcs     *whmcs
	services  *serviceMap
	separator string // between the addresses in assignedips
	ipv6      bool   // write IPv6 addresses too
	clear     bool   // clear the addresses of a service whose server has none
}

// record is what WHMCS keeps about the addresses of a service.
type record struct {
	Dedicated string
	Assigned  []string
}

// outcome is what came of looking at a server.
type outcome struct {
	Service       serviceID
	Before, After record
	Note          string // why nothing was compared
}

func (o outcome) changed() bool { return o.Note == "" && !same(o.Before, o.After) }

// lastingError is a failure that another try does not cure: a person has to look. Every other failure passes.
type lastingError struct{ error }

func (e lastingError) Unwrap() error { return e.error }

func lasting(format string, args ...any) error { return lastingError{fmt.Errorf(format, args...)} }

// errBusy says that the panel is still working on the server, so that its addresses may be about to change.
var errBusy = errors.New("the panel is still working on the server")

// sync compares a server with its service in WHMCS and writes what differs. It returns nil when it has seen that WHMCS shows the addresses that the panel shows.
// Notifications only say where to look: their order and number, and the addresses in them, do not matter. uuids are the ones they tell; one of them must be the
// server's, or empty.
func (s *syncer) sync(ctx context.Context, id solusvm2.ServerID, uuids []string) (outcome, error) {
	all, err := s.services.all()
	if err != nil {
		return outcome{}, err
	}
	l, known := all[id]
	if !known {
		return outcome{}, lasting("server %d is not in the map: add it, and its service in WHMCS, and run this program with -import", id)
	}
	o := outcome{Service: l.Service}
	server, err := s.panel.Servers.Get(ctx, id)
	gone := errors.Is(err, provisioning.NotFound)
	if err != nil && !gone {
		return o, err
	}
	current, err := s.read(ctx, l.Service)
	if err != nil {
		return o, err
	}
	if gone && current.ended() {
		o.Note = "the server is gone, and its service in WHMCS is " + string(current.Status)
		return o, nil
	}
	if gone {
		return o, lasting("the panel has no server %d, but service %d in WHMCS is %s: nothing was changed", id, l.Service, current.Status)
	}
	if err := identify(server, l, uuids); err != nil {
		return o, err
	}
	if server.IsProcessing {
		return o, errBusy
	}
	o.Before, o.After = recordOf(current), wanted(server, s.ipv6)
	if o.After.Dedicated == "" && !s.clear {
		return o, lasting("the panel shows no address of server %d that could be written: service %d was not cleared, which -clear would do", id, l.Service)
	}
	if !o.changed() {
		return o, nil
	}
	return o, s.write(ctx, o)
}

// identify makes sure that the server is the one that the map and the notifications mean. Ids may come again after the panel was restored.
func identify(server *solusvm2.Server, l link, uuids []string) error {
	is := func(uuid string) bool { return uuid == "" || strings.EqualFold(uuid, server.UUID) }
	if !is(l.UUID) {
		return lasting("server %d has uuid %s, the map says %s: nothing was changed", server.ID, server.UUID, l.UUID)
	}
	if len(uuids) > 0 && !slices.ContainsFunc(uuids, is) {
		return lasting("server %d has uuid %s, the notification says %.40q: nothing was changed", server.ID, server.UUID, uuids[len(uuids)-1])
	}
	return nil
}

// read reads a service. What WHMCS refuses is lasting, unless it is this program that is refused.
func (s *syncer) read(ctx context.Context, id serviceID) (service, error) {
	current, err := s.whmcs.GetClientsProducts(ctx, id)
	if errors.Is(err, errNoService) {
		return current, lasting("WHMCS has no service %d: correct the map", id)
	}
	return current, refused(err)
}

func refused(err error) error {
	if e, ok := errors.AsType[*whmcsError](err); ok && !e.blocked() {
		return lastingError{err}
	}
	return err
}

// write sends the fields that differ, clears with unset what is to be empty, and looks whether WHMCS shows it.
func (s *syncer) write(ctx context.Context, o outcome) error {
	fields := map[string]string{}
	var unset []string
	set := func(name, value string) {
		if value == "" {
			unset = append(unset, name)
		} else {
			fields[name] = value
		}
	}
	if !sameText(o.Before.Dedicated, o.After.Dedicated) {
		set("dedicatedip", o.After.Dedicated)
	}
	if !sameSet(o.Before.Assigned, o.After.Assigned) {
		set("assignedips", strings.Join(o.After.Assigned, s.separator))
	}
	if err := refused(s.whmcs.UpdateClientProduct(ctx, o.Service, fields, unset)); err != nil {
		return err
	}
	seen, err := s.read(ctx, o.Service)
	if err != nil {
		return err
	}
	if shows := recordOf(seen); !same(shows, o.After) {
		return lasting("WHMCS accepted the addresses of service %d, but shows %q and %q", o.Service, shows.Dedicated, shows.Assigned)
	}
	return nil
}

// recordOf reads the fields of WHMCS. People and other modules separate addresses by commas, blanks or lines.
func recordOf(s service) record {
	return record{
		Dedicated: strings.TrimSpace(string(s.DedicatedIP)),
		Assigned:  strings.FieldsFunc(string(s.AssignedIPs), func(r rune) bool { return r == ',' || unicode.IsSpace(r) }),
	}
}

// wanted is what WHMCS should show: the dedicated address is the primary one, and the assigned ones are all, as the vendor's own module writes them. IPv4 comes
// before IPv6, and the primary address of each before the others.
func wanted(server *solusvm2.Server, ipv6 bool) record {
	place := func(a provisioning.Address) int {
		n := 0
		if a.Prefix.Addr().Is6() {
			n = 2
		}
		if a.Kind != provisioning.AddressPrimary {
			n++
		}
		return n
	}
	all := server.Addresses()
	slices.SortStableFunc(all, func(a, b provisioning.Address) int { return cmp.Compare(place(a), place(b)) })
	var r record
	for _, a := range all {
		if a.Prefix.Addr().Is4() || ipv6 {
			r.Assigned = append(r.Assigned, show(a.Prefix))
		}
	}
	if len(r.Assigned) > 0 {
		r.Dedicated = r.Assigned[0]
	}
	return r
}

// show writes an address without the length of its network, and a network of which the panel does not tell an address as a network.
func show(p netip.Prefix) string {
	if p.Addr().Is6() && !p.IsSingleIP() && p == p.Masked() {
		return p.String()
	}
	return p.Addr().String()
}

func same(a, b record) bool {
	return sameText(a.Dedicated, b.Dedicated) && sameSet(a.Assigned, b.Assigned)
}

func sameText(a, b string) bool { return normal(a) == normal(b) }

// sameSet compares without order, number and ways of writing.
func sameSet(a, b []string) bool { return slices.Equal(normalSet(a), normalSet(b)) }

func normalSet(texts []string) []string {
	set := make([]string, 0, len(texts))
	for _, t := range texts {
		set = append(set, normal(t))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// normal writes an address in one way. Other text stays as it is.
func normal(text string) string {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().String()
	}
	return text
}
