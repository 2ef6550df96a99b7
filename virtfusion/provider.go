package virtfusion

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// ProviderOptions tunes a Provider. The zero value is right.
type ProviderOptions struct {
	// RemoteStateLimit is how long Instance waits for the hypervisor before it says PowerUnknown; 5 s when zero, negative never asks.
	RemoteStateLimit time.Duration
	// FallbackLocation is the hypervisor group for orders without a Location when the groups cannot be read, for instance because the token may not. Without it such an order is refused.
	FallbackLocation HypervisorGroupID
	// ConsolePath is the path of the panel's own viewer with {uuid} where the server's UUID belongs, as the browser shows it on your panel. It is not documented, so
	// Console.Page is empty without it.
	ConsolePath string
	// VNCSwitch opens consoles with SwitchVNC instead of SetVNC, for builds of panel 7.0 that refuse the documented form.
	VNCSwitch bool
}

// Provider implements provisioning.Provider and the capabilities of VirtFusion. Ids are decimal server ids; Owner.Ref is the numeric external relation id. It is safe for concurrent use.
type Provider struct {
	client *Client
	o      ProviderOptions
}

var (
	_ provisioning.Provider        = (*Provider)(nil)
	_ provisioning.Peeker          = (*Provider)(nil)
	_ provisioning.Pinger          = (*Provider)(nil)
	_ provisioning.Creator         = (*Provider)(nil)
	_ provisioning.Builder         = (*Provider)(nil)
	_ provisioning.Validator       = (*Provider)(nil)
	_ provisioning.Deleter         = (*Provider)(nil)
	_ provisioning.Power           = (*Provider)(nil)
	_ provisioning.Suspender       = (*Provider)(nil)
	_ provisioning.Renamer         = (*Provider)(nil)
	_ provisioning.OwnerManager    = (*Provider)(nil)
	_ provisioning.Catalog         = (*Provider)(nil)
	_ provisioning.UsageReader     = (*Provider)(nil)
	_ provisioning.OperationOpener = (*Provider)(nil)
)

// NewProvider makes a provider over c. It does no I/O.
func NewProvider(c *Client, o ProviderOptions) *Provider {
	if o.RemoteStateLimit == 0 {
		o.RemoteStateLimit = 5 * time.Second
	}
	return &Provider{client: c, o: o}
}

// Client is the typed client below, for what the portable verbs do not cover.
func (p *Provider) Client() *Client { return p.client }

// BaseURL is the panel's address, to be stored next to the ids of its servers: on another panel they mean something else.
func (p *Provider) BaseURL() string { return p.client.BaseURL() }

// Ping makes the cheapest authenticated call. The panel accepts it from a token that may do nothing else.
func (p *Provider) Ping(ctx context.Context) error { return p.client.General.TestConnection(ctx) }

// Instances lists all servers, 200 a call.
func (p *Provider) Instances(ctx context.Context) iter.Seq2[provisioning.Summary, error] {
	list := p.client.Servers.List(ctx, ListServersOptions{})
	return func(yield func(provisioning.Summary, error) bool) {
		for row, err := range list {
			if err != nil {
				yield(provisioning.Summary{}, err)
				return
			}
			s := provisioning.Summary{ID: instanceID(row.ID), UUID: row.UUID, Name: row.Name, Owner: format(row.OwnerID), Suspended: bool(row.Suspended)}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// Instance reads one server and asks the hypervisor for its power state, within RemoteStateLimit. Traffic.Used is not part of it, see Usage; Image is told by panels that name the template
// in the server, and by its template id otherwise. Native is *Server.
func (p *Provider) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Instance{}, err
	}
	s, err := p.liveServer(ctx, server)
	if err != nil {
		return provisioning.Instance{}, err
	}
	return s.instance(), nil
}

// Peek reads one server from the panel's records, without the hypervisor.
func (p *Provider) Peek(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Instance{}, err
	}
	s, err := p.client.Servers.Get(ctx, server, GetServerOptions{})
	if err != nil {
		return provisioning.Instance{}, err
	}
	return s.instance(), nil
}

// liveServer reads a server with its remote state, and without it when the hypervisor makes the panel too slow.
func (p *Provider) liveServer(ctx context.Context, id ServerID) (*Server, error) {
	if p.o.RemoteStateLimit > 0 {
		live, cancel := context.WithTimeout(ctx, p.o.RemoteStateLimit)
		s, err := p.client.Servers.Get(live, id, GetServerOptions{RemoteState: true})
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, provisioning.Unavailable) && !errors.Is(err, context.DeadlineExceeded) {
			return s, err
		}
	}
	return p.client.Servers.Get(ctx, id, GetServerOptions{})
}

func (s *Server) instance() provisioning.Instance {
	i := provisioning.Instance{
		ID: instanceID(s.ID), UUID: s.UUID, Name: s.Name, Hostname: s.Hostname, Owner: format(s.OwnerID),
		Phase: s.Phase(), Power: s.RemoteState.Power(), Suspended: bool(s.Suspended), RawState: string(s.State),
		Memory:    provisioning.Some(s.Settings.Resources.Memory.Bytes()),
		Disk:      provisioning.Some(s.Settings.Resources.Storage.Bytes()),
		VCPUs:     provisioning.Some(int(s.Settings.Resources.CPUCores)),
		Addresses: s.Network.addresses(),
		Traffic:   provisioning.Some(s.Traffic.portable()),
		Image:     s.imageName(), Location: s.Hypervisor.Group.Name, Host: s.Hypervisor.Name,
		Created: s.Created.Time, Built: s.Built.Time, Native: s,
	}
	if i.Phase == provisioning.PhaseFailed {
		i.FailReason = s.failReason()
	}
	i.HostAddress, _ = netip.ParseAddr(s.Hypervisor.IP)
	return i
}

func (s *Server) imageName() string {
	if s.OS.TemplateName != "" {
		return s.OS.TemplateName
	}
	if s.Settings.OSTemplateInstallID > 0 {
		return "template " + format(s.Settings.OSTemplateInstallID)
	}
	return ""
}

// failReason is all that a failed build leaves in the server: the panel has no way from a server to its queue item.
func (s *Server) failReason() string {
	reason := "the panel reports the build as " + string(s.State)
	for _, a := range s.Tasks.Actions.Pending {
		if a.Failed {
			reason += "; deferred action failed: " + a.Action
		}
	}
	return reason
}

func (t ServerTraffic) portable() provisioning.Traffic {
	period := t.Public.CurrentPeriod
	out := provisioning.Traffic{PeriodStart: period.Start.Time, PeriodEnd: period.End.Time, Unlimited: period.Limit.Unlimited()}
	if !out.Unlimited {
		out.Allowance = provisioning.Some(period.Limit.Bytes())
	}
	return out
}

// addresses lists what the enabled interfaces have, the primary interface first. IPv4 addresses come as /32; IPv6 as the subnets in which the panel hands them out.
func (n *ServerNetwork) addresses() []provisioning.Address {
	var all []provisioning.Address
	for i, iface := range slices.Concat(n.Interfaces, n.SecondaryInterfaces) {
		kind := provisioning.AddressExtra
		if i == 0 && len(n.Interfaces) > 0 {
			kind = provisioning.AddressPrimary
		}
		v4, v6 := slices.Clone(iface.IPv4), slices.Clone(iface.IPv6)
		slices.SortStableFunc(v4, func(a, b ServerIPv4) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID)) })
		slices.SortStableFunc(v6, func(a, b ServerIPv6) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID)) })
		for j, a := range v4 {
			addr, err := netip.ParseAddr(a.Address)
			if err != nil {
				continue
			}
			all = append(all, provisioning.Address{Prefix: netip.PrefixFrom(addr, addr.BitLen()), Kind: addressKind(kind, j, bool(iface.IsNAT))})
		}
		for j, a := range v6 {
			if prefix := a.Prefix(); prefix.IsValid() {
				all = append(all, provisioning.Address{Prefix: prefix, Kind: addressKind(kind, j, false)})
			}
		}
	}
	return all
}

func addressKind(kind provisioning.AddressKind, index int, nat bool) provisioning.AddressKind {
	switch {
	case nat:
		return provisioning.AddressNAT
	case index > 0:
		return provisioning.AddressExtra
	}
	return kind
}

// Usage reads the traffic of the present period from the panel's records, extra blocks included. It does not ask the hypervisor. A server without any period yet has an empty Traffic. Native is
// []TrafficPeriod, the present one first.
func (p *Provider) Usage(ctx context.Context, id provisioning.ID) (provisioning.Usage, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Usage{}, err
	}
	periods, err := p.client.Servers.Traffic(ctx, server)
	if err != nil || len(periods) == 0 {
		return provisioning.Usage{}, err
	}
	now := periods[0]
	u := provisioning.Usage{Native: periods}
	u.Traffic = provisioning.Traffic{Used: provisioning.Some(provisioning.Bytes(now.TotalBytes)), PeriodStart: now.Start.Time, PeriodEnd: now.End.Time}
	allowance, unlimited := now.Allowance()
	if u.Traffic.Unlimited = unlimited; !unlimited {
		u.Traffic.Allowance = provisioning.Some(allowance.Bytes())
	}
	return u, nil
}

func instanceID(id ServerID) provisioning.ID { return provisioning.ID(format(id)) }

func format[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

func parseID(id provisioning.ID) (ServerID, error) { return parse[ServerID]("id", string(id)) }

// parse reads an id as the portable layer carries it: a plain decimal number above zero.
func parse[T ~int64](field, text string) (T, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || strings.HasPrefix(text, "+") || strings.HasPrefix(text, "0") {
		return 0, provisioning.InvalidField(field, "%.40q is not an id of this panel: it must be a number above zero", text)
	}
	return T(n), nil
}
