package solusvm2

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// ProviderOptions tunes a Provider. The zero value is right for an administrator's token.
type ProviderOptions struct {
	// Project makes the provider work inside one project, which is all that a customer's token may do: servers are listed and created there, the Key is stored in the server's name, and single
	// resources (Memory, Disk, VCPUs, more than one IPv4 address) cannot be asked for. Without it the provider works on the whole node and stores the Key in the server's description.
	Project ProjectID
}

// Provider implements provisioning.Provider and the capabilities of SolusVM 2. Ids are decimal server ids; an image is a version of an operating system; Owner.Ref is the user's billing_user_id. It is safe for concurrent use.
//
// What a role may not do is Forbidden: with a customer's token that is the catalog of plans and images of the node, the users, and often the tasks; operations are then followed on the server.
type Provider struct {
	client  *Client
	project ProjectID
}

var (
	_ provisioning.Provider             = (*Provider)(nil)
	_ provisioning.Pinger               = (*Provider)(nil)
	_ provisioning.Creator              = (*Provider)(nil)
	_ provisioning.Deleter              = (*Provider)(nil)
	_ provisioning.Power                = (*Provider)(nil)
	_ provisioning.Suspender            = (*Provider)(nil)
	_ provisioning.Rebuilder            = (*Provider)(nil)
	_ provisioning.Resizer              = (*Provider)(nil)
	_ provisioning.Renamer              = (*Provider)(nil)
	_ provisioning.RootPasswordResetter = (*Provider)(nil)
	_ provisioning.ConsoleOpener        = (*Provider)(nil)
	_ provisioning.UsageReader          = (*Provider)(nil)
	_ provisioning.AddressManager       = (*Provider)(nil)
	_ provisioning.OwnerManager         = (*Provider)(nil)
	_ provisioning.Catalog              = (*Provider)(nil)
	_ provisioning.Snapshotter          = (*Provider)(nil)
	_ provisioning.BackupLister         = (*Provider)(nil)
	_ provisioning.Rescuer              = (*Provider)(nil)
	_ provisioning.RescueLeaver         = (*Provider)(nil)
	_ provisioning.OperationOpener      = (*Provider)(nil)
)

// NewProvider makes a provider over c. It does no I/O.
func NewProvider(c *Client, o ProviderOptions) *Provider {
	return &Provider{client: c, project: o.Project}
}

// Client is the typed client below, for what the portable verbs do not cover.
func (p *Provider) Client() *Client { return p.client }

// BaseURL is the panel's address, to be stored next to the ids of its servers: on another panel they mean something else.
func (p *Provider) BaseURL() string { return p.client.BaseURL() }

// Ping reads the account of the token.
func (p *Provider) Ping(ctx context.Context) error {
	_, err := p.client.Account.Get(ctx)
	return err
}

// Instances lists the servers of the node, or of the project.
func (p *Provider) Instances(ctx context.Context) iter.Seq2[provisioning.Summary, error] {
	list := p.client.Servers.List(ctx, ServerFilter{})
	if p.project > 0 {
		list = p.client.Servers.ListByProject(ctx, p.project, ListOptions{})
	}
	return func(yield func(provisioning.Summary, error) bool) {
		for s, err := range list {
			if err != nil {
				yield(provisioning.Summary{}, err)
				return
			}
			if !yield(s.summary(), nil) {
				return
			}
		}
	}
}

func (s *Server) summary() provisioning.Summary {
	sum := provisioning.Summary{ID: instanceID(s.ID), UUID: s.UUID, Name: s.Name, Suspended: bool(s.IsSuspended)}
	if s.User != nil {
		sum.Owner = format(s.User.ID)
	}
	return sum
}

// Instance reads one server. The panel itself knows whether the guest runs, as of its last report from the node. Native is *Server.
func (p *Provider) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	server, err := parseID(id)
	if err != nil {
		return provisioning.Instance{}, err
	}
	s, err := p.client.Servers.Get(ctx, server)
	if err != nil {
		return provisioning.Instance{}, err
	}
	return s.instance(), nil
}

func (s *Server) instance() provisioning.Instance {
	sum := s.summary()
	i := provisioning.Instance{
		ID: sum.ID, UUID: s.UUID, Name: s.Name, Hostname: s.Name, Owner: sum.Owner, Phase: s.Phase(), Power: s.Power(), Suspended: sum.Suspended,
		RawState: string(s.Status), Addresses: s.Addresses(), Created: s.CreatedAt.Time, Native: s,
	}
	if len(s.FQDNs) > 0 {
		i.Hostname = s.FQDNs[0]
	}
	if i.Phase == provisioning.PhaseFailed {
		i.FailReason = "the panel has the server as " + strconv.Quote(string(s.Status))
	}
	if spec := s.Specifications; spec != nil {
		i.Memory, i.Disk, i.VCPUs = provisioning.Some(spec.RAM.Bytes()), provisioning.Some(spec.Disk.Bytes()), provisioning.Some(int(spec.VCPU))
	}
	if s.Plan != nil {
		i.Plan = s.Plan.Name
	}
	if s.Location != nil {
		i.Location = s.Location.Name
	}
	if t, ok := s.traffic(); ok {
		i.Traffic = provisioning.Some(t)
	}
	return i
}

// traffic is what the panel counts toward the plan's limit. Periods follow the plan's policy and are not told.
func (s *Server) traffic() (t provisioning.Traffic, ok bool) {
	if s.Usage != nil && s.Usage.Network != nil && s.Usage.Network.Incoming != nil && s.Usage.Network.Outgoing != nil {
		t.Used, ok = provisioning.Some(s.Usage.Network.Incoming.Value.Bytes()+s.Usage.Network.Outgoing.Value.Bytes()), true
	}
	if s.Plan != nil {
		allowance := s.Plan.Traffic()
		if t.Unlimited = allowance.IsNull(); !t.Unlimited {
			t.Allowance = allowance
		}
		ok = ok || t.Unlimited || !allowance.IsZero()
	}
	return t, ok
}

// Usage reads the traffic that counts toward the plan's limit. Native is *Server.
func (p *Provider) Usage(ctx context.Context, id provisioning.ID) (provisioning.Usage, error) {
	i, err := p.Instance(ctx, id)
	if err != nil {
		return provisioning.Usage{}, err
	}
	return provisioning.Usage{Traffic: i.Traffic.Or(provisioning.Traffic{}), Native: i.Native}, nil
}

// Plans lists the plans of the node, or those that the project may order.
func (p *Provider) Plans(ctx context.Context) ([]provisioning.PlanInfo, error) {
	list := p.client.Plans.List(ctx, PlanFilter{})
	if p.project > 0 {
		list = p.client.Plans.ListByProject(ctx, p.project, ListOptions{})
	}
	var all []provisioning.PlanInfo
	for k, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, provisioning.PlanInfo{ID: format(k.ID), Name: k.Name, Enabled: bool(k.IsVisible), Memory: provisioning.Some(k.Params.RAM.Bytes()),
			Disk: provisioning.Some(k.Params.Disk.Bytes()), VCPUs: provisioning.Some(int(k.Params.VCPU)), Traffic: k.Traffic()})
	}
	return all, nil
}

// Images lists the versions of operating systems, named "Debian 12". Where the panel ties versions to plans, only those of the plan are listed.
func (p *Provider) Images(ctx context.Context, plan string) ([]provisioning.ImageInfo, error) {
	var all []provisioning.ImageInfo
	for image, err := range p.client.OSImages.List(ctx, OSImageFilter{}) {
		if err != nil {
			return nil, err
		}
		for _, v := range image.Versions {
			if !available(v.AvailablePlans, plan) {
				continue
			}
			all = append(all, provisioning.ImageInfo{ID: format(v.ID), Name: strings.TrimSpace(image.Name + " " + v.Version), Enabled: bool(image.IsVisible) && bool(v.IsVisible)})
		}
	}
	return all, nil
}

// available reads a list of plans: an empty one is no restriction, which is a guess.
func available(plans []Ref, plan string) bool {
	if len(plans) == 0 || plan == "" {
		return true
	}
	for _, r := range plans {
		if strconv.FormatInt(int64(r.ID), 10) == plan {
			return true
		}
	}
	return false
}

// Locations lists the locations.
func (p *Provider) Locations(ctx context.Context) ([]provisioning.LocationInfo, error) {
	var all []provisioning.LocationInfo
	for l, err := range p.client.Locations.List(ctx, LocationFilter{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, provisioning.LocationInfo{ID: format(l.ID), Name: l.Name, Enabled: bool(l.IsVisible)})
	}
	return all, nil
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

// hidden reports that the role may not read something.
func hidden(err error) bool { return errors.Is(err, provisioning.Forbidden) }
